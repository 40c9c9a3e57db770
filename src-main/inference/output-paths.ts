import type { ModelClass } from './classes.ts';
import type { NamedInput } from './output-names.ts';

/** What decides which files a picture gets. */
export interface OutputKinds {
  readonly overlays?: boolean;
  readonly overlayFormat?: 'jpg' | 'png';
  readonly probabilities?: 'none' | '8bit' | 'float32';
}

/** Where the mask of a picture lies below the output folder, with `/`. */
export function maskName(input: Pick<NamedInput, 'outputName'>): string {
  return `masks/${input.outputName}.png`;
}

/** Everything that is written for a picture, below the output folder, with `/`. */
export function outputPaths(
  input: NamedInput,
  classes: readonly ModelClass[],
  options: OutputKinds,
) {
  const { outputName } = input;
  const extension = options.probabilities === 'float32' ? 'tif' : 'png';
  const wantsMaps = options.probabilities !== undefined && options.probabilities !== 'none';
  return {
    mask: maskName(input),
    ...(options.overlays === false
      ? {}
      : { overlay: `overlays/${outputName}.${options.overlayFormat ?? 'jpg'}` }),
    probabilities: wantsMaps
      ? classes.map(
          ({ index, name }) => `probabilities/${outputName}_${index}_${slug(name)}.${extension}`,
        )
      : [],
  };
}

function slug(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}]+/gu, '-');
}
