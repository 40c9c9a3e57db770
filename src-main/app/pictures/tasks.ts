import type { PictureTask } from './task.ts';

/**
 * Every task of the picture process, loaded when it is first asked for, so that main can know the
 * names and types without loading a decoder.
 */
export const tasks = {
  previewTile: async () => (await import('./tasks/preview-tile.ts')).previewTile,
  fileTile: async () => (await import('./tasks/file-picture.ts')).fileTile,
  fileThumb: async () => (await import('./tasks/file-picture.ts')).fileThumb,
  view: async () => (await import('./tasks/view.ts')).view,
  thumb: async () => (await import('./tasks/thumb.ts')).thumb,
  tile: async () => (await import('./tasks/tile.ts')).tile,
  maskTile: async () => (await import('./tasks/mask-tile.ts')).maskTile,
  prediction: async () => (await import('./tasks/prediction.ts')).prediction,
  maskThumb: async () => (await import('./tasks/mask-thumb.ts')).maskThumb,
};

export type TaskName = keyof typeof tasks;
export type TaskInput<TName extends TaskName> =
  Awaited<ReturnType<(typeof tasks)[TName]>> extends PictureTask<infer TInput> ? TInput : never;
