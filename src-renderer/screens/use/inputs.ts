import type { Input } from '../../../src-main/contract/use.ts';
import { pictureUrl } from '../../client/pictures.ts';
import type { ViewerLayer } from '../../components/viewer/picture-layer.ts';

/** The id behind an input: of an image of the project, or of a chosen file. */
function idOf({ inputId }: Pick<Input, 'inputId'>): string {
  return inputId.slice(inputId.indexOf('.') + 1);
}

function isImage({ inputId }: Pick<Input, 'inputId'>): boolean {
  return inputId.startsWith('image.');
}

/** A small picture of an input. */
export function inputThumb(input: Pick<Input, 'inputId'>, size: number): string {
  return pictureUrl(isImage(input) ? 'thumb' : 'file-thumb', [idOf(input)], { size });
}

/** An input as the lowest layer of a viewer. */
export function inputLayer(input: Pick<Input, 'inputId'>): ViewerLayer {
  return {
    kind: isImage(input) ? 'tile' : 'file-tile',
    ids: [idOf(input)],
    previewUrl: inputThumb(input, 512),
  };
}
