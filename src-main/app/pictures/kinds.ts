import { imageKinds } from './kinds/images.ts';
import { maskSampleKinds } from './kinds/mask-samples.ts';
import { pretrainKinds } from './kinds/pretrain.ts';
import { predictionKinds } from './kinds/predictions.ts';
import { previewKinds } from './kinds/previews.ts';

/**
 * Every kind of picture: what the first part of an address may be.
 *
 * To add one: write its task in `tasks/<name>.ts` (a schema and a function that makes the bytes, run
 * in the picture process; load decoders there only), list it in `tasks.ts`, and give its kind here
 * (ids and parameters of the address, and what main looks up for them: ids become absolute paths
 * and settings, nothing is decoded). The window then says `pictureUrl('<kind>', [id], {...})`; with
 * `v` among the parameters, something that changes with the content, it keeps the picture for good.
 */
export const kinds = {
  ...imageKinds,
  ...maskSampleKinds,
  ...pretrainKinds,
  ...predictionKinds,
  ...previewKinds,
};
