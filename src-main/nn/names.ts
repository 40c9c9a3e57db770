import type { HostTensors } from '../graph/types.ts';

/** Where a network's weights go; each family has its own names (spec section 10.2). */
export type NamingStyle = 'torchvision' | 'mmsegmentation' | 'detectron2';

/**
 * Encoder and decoder weights under the names that another library expects. `tensors` has the names
 * `encoder.*` and `decoder.*`; anything else (classifier, heads) is left out.
 */
export function exportNames<T>(
  tensors: Readonly<Record<string, T>>,
  style: NamingStyle,
): Readonly<Record<string, T>> {
  const rename = {
    torchvision: torchvisionName,
    mmsegmentation: mmsegName,
    detectron2: detectronName,
  };
  return renamed(tensors, rename[style]);
}

/** The tensors whose new name is not undefined, under that name, in order. */
export function renamed<T>(
  tensors: Readonly<Record<string, T>>,
  rename: (name: string) => string | undefined,
): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([name, tensor]) => {
      const next = rename(name);
      return next === undefined ? [] : [[next, tensor]];
    }),
  );
}

/** The teacher's encoder and decoder of a pre-training state, as `encoder.*` and `decoder.*`. */
export function teacherWeights(state: HostTensors): HostTensors {
  return renamed(state, (name) =>
    /^(encoder|decoder)_k\./.test(name) ? name.replace('_k.', '.') : undefined,
  );
}

/**
 * Our name for one in a weights file: our own names, torchvision's bare encoder names, a teacher of
 * the reference (`encoder_k.*`), each with or without the prefixes that training tools put in front.
 */
export function canonicalName(name: string): string {
  const bare = name.replace(/^(module\.|state_dict\.|model\.)+/, '');
  if (/^(encoder|decoder)_k\./.test(bare)) return bare.replace('_k.', '.');
  const encoder = /^(?:backbone\.)?((?:conv1|bn1|layer[1-4]\.\d+)\..+)$/.exec(bare)?.[1];
  return encoder === undefined ? bare : `encoder.${encoder}`;
}

/** The name of a batch norm's call counter, which training does not need. */
export function isBatchCounter(name: string): boolean {
  return name.endsWith('.num_batches_tracked');
}

/** Running statistics are state, but not trained. */
export function isStatistic(name: string): boolean {
  return /\.running_(mean|var)$/.test(name);
}

/** torchvision: ResNet names; the FPN as in its detection models (index 0 = p2). */
function torchvisionName(name: string): string | undefined {
  const encoder = withoutPrefix(name, 'encoder.');
  if (encoder !== undefined) return encoder;
  const fpn = /^decoder\.fpn_(lateral|output)([2-5])\.(norm\.)?(.+)$/.exec(name);
  if (fpn === null) return withoutPrefix(name, 'decoder.');
  const [, kind, level, norm, rest] = fpn;
  const block = kind === 'lateral' ? 'inner_blocks' : 'layer_blocks';
  return `fpn.${block}.${Number(level) - 2}.${norm === undefined ? 0 : 1}.${rest}`;
}

/** mmsegmentation: backbone names are torchvision's; FPN neck and FCN head convolutions. */
function mmsegName(name: string): string | undefined {
  const encoder = withoutPrefix(name, 'encoder.');
  if (encoder !== undefined) return encoder;
  const fpn = /^decoder\.fpn_(lateral|output)([2-5])\.(norm\.)?(.+)$/.exec(name);
  if (fpn === null) return withoutPrefix(name, 'decoder.');
  const [, kind, level, norm, rest] = fpn;
  const list = kind === 'lateral' ? 'lateral_convs' : 'fpn_convs';
  return `${list}.${Number(level) - 2}.${norm === undefined ? 'conv' : 'bn'}.${rest}`;
}

/** detectron2: renaming rules in the order of the reference's converter; the FPN as it is. */
function detectronName(name: string): string | undefined {
  const encoder = withoutPrefix(name, 'encoder.');
  if (encoder === undefined) return withoutPrefix(name, 'decoder.');
  const staged = encoder.startsWith('layer') ? encoder : `stem.${encoder}`;
  return staged
    .replace(/layer([1-4])/, (_, stage) => `res${Number(stage) + 1}`)
    .replace(/bn([1-3])/, 'conv$1.norm')
    .replace('downsample.0', 'shortcut')
    .replace('downsample.1', 'shortcut.norm');
}

function withoutPrefix(name: string, prefix: string): string | undefined {
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
}
