import type { FolderRow } from '../project/images.ts';
import type { valueKinds } from './mask-choice.ts';
import type { MaskScan } from './mask-scan.ts';

/** Names a value of a kind of mask as one number: kinds are 2 ** 24 apart. */
export type ValueKey = number;

export interface SurveyImage {
  readonly id: string;
  readonly relPath: string;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Not a copy of another image. */
  readonly isUsable: boolean;
}

/** A mask that was looked at. */
export interface SeenMask {
  readonly image: SurveyImage;
  readonly keys: ReadonlySet<ValueKey>;
}

export interface ValueSeen {
  readonly key: ValueKey;
  readonly kind: (typeof valueKinds)[number];
  readonly value: number;
  /** What people call it: a grey level, a place in the palette, a color, a category. */
  readonly name: string;
  readonly color: string;
  readonly pixels: number;
  readonly masks: number;
  /** Null is ignored, absent not decided. */
  readonly classIndex?: number | null;
}

/** What was seen, before anything is proposed. */
export interface Looked {
  /** The folder of images that the masks belong to. */
  readonly folder: FolderRow;
  readonly isCoco: boolean;
  readonly masks: number;
  readonly matched: number;
  readonly lookedAt: number;
  readonly seen: readonly SeenMask[];
  readonly values: readonly (Omit<ValueSeen, 'classIndex'> & { readonly isSolid: boolean })[];
  /** Of mask files; none for COCO. */
  readonly scans: readonly MaskScan[];
  readonly unlabelled: readonly string[];
  readonly stray: readonly string[];
  readonly problems: readonly { readonly path: string; readonly message: string }[];
  /** The values of a mask at a smaller size, [height, width]. */
  readSample(
    seen: SeenMask,
    size: { readonly widthPx: number; readonly heightPx: number },
  ): Promise<readonly ValueKey[]>;
}

/** What the user is shown before masks are imported; the result of a job. */
export interface MaskSurvey {
  readonly path: string;
  readonly folderId: string;
  readonly imagesPath: string;
  readonly name: string;
  readonly kind: 'files' | 'coco';
  readonly images: number;
  readonly masks: number;
  readonly matched: number;
  readonly lookedAt: number;
  readonly proposedBy: 'file' | 'earlier' | 'values';
  readonly classes: readonly { readonly name: string; readonly color: string }[];
  readonly lockedClasses: number;
  readonly values: readonly ValueSeen[];
  readonly soft: { readonly values: number; readonly pixels: number; readonly masks: number };
  readonly samples: readonly {
    readonly imageId: string;
    readonly name: string;
    readonly widthPx: number;
    readonly heightPx: number;
  }[];
  readonly unlabelledImages: { readonly count: number; readonly names: readonly string[] };
  readonly strayMasks: { readonly count: number; readonly names: readonly string[] };
  readonly problems: {
    readonly count: number;
    readonly rows: readonly { readonly path: string; readonly message: string }[];
  };
}

/** Within the project; pictures of samples lie in a folder for each survey. */
export const surveyFolder = 'cache/mask-survey';

/** Where the picture of a sample lies, within the project. */
export function samplePath(name: string, index: number): string {
  return `${surveyFolder}/${name}/${index}.png`;
}

const kindStep = 2 ** 24;
const places = { index: 0, palette: 1, rgb: 2, coco: 3 } satisfies Record<
  (typeof valueKinds)[number],
  number
>;

export function keyOf(kind: (typeof valueKinds)[number], value: number): ValueKey {
  return places[kind] * kindStep + value;
}
