import type { Progress } from '../lib/progress.ts';
import type { Fingerprint } from './fingerprint-schema.ts';
import type { MaskChoice } from './mask-choice.ts';

/** How a task in this folder is watched and stopped. */
export interface TaskControl {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export type MaskFormat = 'index' | 'palette' | 'rgb' | 'coco';
export type Split = 'train' | 'val' | 'test' | 'unlabelled';

/** How images are put into groups that are never split. */
export type GroupBy =
  /** Every image stands alone. */
  | { readonly type: 'none' }
  | { readonly type: 'folder' }
  /** A regular expression on the path inside the folder; its first capture group is the group. */
  | { readonly type: 'pattern'; readonly pattern: string };

export interface ImportOptions {
  /** A folder of images, or a data folder with `images/` and perhaps `masks/`, `classes.json`, ... */
  readonly imagesPath: string;
  /** A folder of mask files or a COCO JSON file; found beside the images when absent. */
  readonly masksPath?: string;
  /** `leave`: masks are neither looked for nor changed; where they lie is noted. */
  readonly labels?: 'leave';
  /** What mask values mean, decided by the user; else by classes.json, else proposed. */
  readonly mapping?: MaskChoice;
  /** Told from each file when absent. */
  readonly maskFormat?: MaskFormat;
  readonly classesFile?: string;
  readonly splitFile?: string;
  readonly groupBy?: GroupBy;
  /** Shares of the labelled groups when no split file is given; default 70/15/15. */
  readonly splitShares?: { readonly train: number; readonly val: number; readonly test: number };
  /** Seed of the split; default 0. */
  readonly seed?: number;
}

/** One thing the user should know about one file. */
export interface ImportProblem {
  /** Path inside the imported folder, as it is. */
  readonly path: string;
  readonly code: string;
  readonly message: string;
  /** `skipped`: the image or its mask is not used; `notice`: it is used as the message says. */
  readonly effect: 'skipped' | 'notice';
}

export interface ImportSummary {
  readonly found: number;
  readonly usable: number;
  readonly skipped: number;
  readonly duplicates: number;
  /** Files whose size and time had not changed since the last import and were not decoded again. */
  readonly unchanged: number;
  /** Files that are no images (text, JSON, ...), not counted as found. */
  readonly otherFiles: number;
  readonly masks: number;
  /** How many times each problem occurs; the rows are in the project. */
  readonly problems: Readonly<Record<string, number>>;
  readonly fingerprint: Fingerprint;
  readonly seconds: number;
}
