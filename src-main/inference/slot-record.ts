import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { log } from '../lib/log.ts';
import type { Project } from '../project/project.ts';

const levelSchema = v.object({
  /** `encoder`, `decoder` or `decoder p2`... */
  name: v.string(),
  /** All slots in colors, and the one slot that matches across levels. */
  file: v.string(),
  matchedFile: v.string(),
  slots: v.number(),
  gridWidth: v.number(),
  gridHeight: v.number(),
});

/** The slot pictures of one step of a run, as `slots/<step>/index.json` has them. */
export const slotMomentSchema = v.object({
  step: v.number(),
  images: v.array(
    v.object({
      imageId: v.string(),
      name: v.string(),
      file: v.string(),
      widthPx: v.number(),
      heightPx: v.number(),
      levels: v.array(levelSchema),
    }),
  ),
});
export type SlotMoment = Readonly<v.InferOutput<typeof slotMomentSchema>>;

/** How many images are drawn when nobody chooses. */
export const usualSlotImages = 4;

export const slotIndexName = 'index.json';

/** The folder of a run's slot pictures, one folder a step inside. */
export function slotsFolder(project: Project, runId: string): string {
  return join(project.runFolder(runId), 'slots');
}

/** The steps that have pictures, in order. */
export function slotSteps(folder: string): readonly number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name) && existsSync(join(folder, name, slotIndexName)))
    .map(Number)
    .sort((a, b) => a - b);
}

/** The slot pictures of a run by step; what is damaged is left out. */
export function readRunSlots(project: Project, runId: string): SlotMoment[] {
  const folder = slotsFolder(project, runId);
  return slotSteps(folder).flatMap((step) => {
    const path = join(folder, String(step), slotIndexName);
    try {
      return [v.parse(slotMomentSchema, JSON.parse(readFileSync(path, 'utf8')))];
    } catch (error) {
      log('warn', 'slots', 'Slot pictures could not be read.', { path, error });
      return [];
    }
  });
}

/** Forgets pictures of steps after the one that a run goes on from. */
export function removeSlotsAfter(folder: string, step: number): void {
  for (const later of slotSteps(folder)) {
    if (later > step) rmSync(join(folder, String(later)), { recursive: true, force: true });
  }
}
