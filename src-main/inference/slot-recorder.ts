import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openImage } from '../datasets/decode.ts';
import { encodePicture } from '../datasets/encode.ts';
import { compileFunction, type CompiledFunction } from '../graph/compile.ts';
import { CPU, type HostTensors, type TensorSpec } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import { writeFileAtomic } from '../lib/files.ts';
import type { PretrainConfig } from '../pretrain/config.ts';
import { totalSteps } from '../pretrain/schedules.ts';
import type { TrainingObserver } from '../pretrain/training.ts';
import type { ImageRow } from '../project/images.ts';
import type { Project } from '../project/project.ts';
import { imageInput } from './segmentation.ts';
import {
  matchSlots,
  slotMaps,
  slotParameters,
  slotsByArea,
  slotScoresFunction,
} from './slot-maps.ts';
import { paintMap, paintSlot } from './slot-paint.ts';
import {
  removeSlotsAfter,
  slotIndexName,
  slotsFolder,
  slotSteps,
  usualSlotImages,
  type SlotMoment,
} from './slot-record.ts';
import { networkSize, shownPicture } from './slots.ts';
import type { RgbImage } from './tiles.ts';

/** Share of a run's time that pictures may take; those of the start and the end are always made. */
const costShare = 0.02;
/** Pictures between start and end, at a half, a quarter, an eighth... of the run. */
const mostBetween = 10;
/** Of one look, until one was measured. */
const guessedCostSeconds = 3;
const networkPx = 384;
const shownPx = 320;

interface Prepared {
  readonly image: ImageRow;
  readonly picture: RgbImage;
  readonly input: Uint8Array;
  readonly network: CompiledFunction;
}

/**
 * Draws the slots of a few images while a pre-training runs, on the CPU, into the run's folder. It
 * reads copies of the weights and draws no random numbers, so that a run with it equals one without.
 */
export class SlotRecorder implements TrainingObserver {
  readonly #project: Project;
  readonly #config: PretrainConfig;
  readonly #imageIds: readonly string[];
  readonly #folder: string;
  readonly #total: number;
  #prepared: readonly Prepared[] | undefined;
  #lastStep: number | undefined;
  #costSeconds = guessedCostSeconds;

  constructor(
    project: Project,
    run: { readonly runId: string; readonly config: PretrainConfig },
    imageIds: readonly string[] = [],
  ) {
    this.#project = project;
    this.#config = run.config;
    this.#imageIds =
      imageIds.length > 0
        ? imageIds
        : project.pretrainImages.spread(usualSlotImages).map(({ id }) => id);
    this.#folder = slotsFolder(project, run.runId);
    this.#total = totalSteps(run.config);
  }

  isDue(step: number, stepSeconds: number): boolean {
    this.#lastStep ??= this.#resumed(step);
    if (step <= this.#lastStep) return false;
    if (step === 0 || step === this.#total) return true;
    const affordable = (costShare * this.#total * stepSeconds) / this.#costSeconds - 2;
    const moments = momentsOf(this.#total, affordable);
    const last = this.#lastStep;
    return moments.some((moment) => moment > last && moment <= step);
  }

  async look(step: number, state: HostTensors): Promise<void> {
    const begun = performance.now();
    this.#lastStep = step;
    const folder = join(this.#folder, String(step));
    mkdirSync(folder, { recursive: true });
    this.#prepared ??= await this.#prepare(state);
    const images: SlotMoment['images'] = [];
    for (const [i, prepared] of this.#prepared.entries()) {
      images.push(await this.#draw(prepared, state, folder, String(i)));
    }
    const index: SlotMoment = { step, images };
    const text = new TextEncoder().encode(JSON.stringify(index));
    writeFileAtomic(join(folder, slotIndexName), [text]); // the last: a moment with it is whole
    this.#costSeconds = (performance.now() - begun) / 1000;
  }

  async dispose(): Promise<void> {
    for (const network of new Set(this.#prepared?.map((prepared) => prepared.network))) {
      await network.dispose();
    }
    this.#prepared = undefined;
  }

  /** The last step with pictures when training begins at `step`; -1 without any. */
  #resumed(step: number): number {
    removeSlotsAfter(this.#folder, step);
    return slotSteps(this.#folder).at(-1) ?? -1;
  }

  async #prepare(state: HostTensors): Promise<readonly Prepared[]> {
    const params = slotParameters(state);
    const networks = new Map<string, CompiledFunction>();
    const prepared: Prepared[] = [];
    for (const id of this.#imageIds) {
      const image = this.#project.images.get(id);
      if (image === undefined) continue;
      const reader = await openImage(this.#project.images.pathOf(image));
      const size = networkSize(reader, this.#config.scale, networkPx);
      const spec: TensorSpec = { shape: [1, size.heightPx, size.widthPx, 3], dtype: 'uint8' };
      const key = spec.shape.join('x');
      const network =
        networks.get(key) ??
        (await compileFunction(slotScoresFunction(this.#config), {
          params,
          inputs: { [imageInput]: spec },
          device: CPU,
          label: 'slots',
        }));
      networks.set(key, network);
      const input = await reader.readScaledRows({ ...size, topPx: 0, rows: size.heightPx });
      prepared.push({ image, picture: await shownPicture(reader, shownPx), input, network });
    }
    return prepared;
  }

  async #draw(
    { image, picture, input, network }: Prepared,
    state: HostTensors,
    folder: string,
    prefix: string,
  ): Promise<SlotMoment['images'][number]> {
    const scores = await network.run(slotParameters(state), { [imageInput]: input });
    const maps = await slotMaps(this.#config, scores, picture);
    const matches = matchSlots(maps);
    const save = async (name: string, content: RgbImage): Promise<string> => {
      const file = `${prefix}-${name.replaceAll(' ', '-')}.jpg`;
      writeFileAtomic(join(folder, file), [await encodePicture(content, 'jpg')]);
      return file;
    };
    const levels: SlotMoment['images'][number]['levels'] = [];
    for (const [i, map] of maps.entries()) {
      const { slot } = defined(matches[i], 'match');
      levels.push({
        name: map.name,
        file: await save(map.name, paintMap(picture, map)),
        matchedFile: await save(`${map.name} matched`, paintSlot(picture, map, slot)),
        slots: slotsByArea(map.slots).length,
        gridWidth: map.gridWidth,
        gridHeight: map.gridHeight,
      });
    }
    const { widthPx, heightPx } = picture;
    const file = await save('picture', picture);
    return { imageId: image.id, name: image.relPath, file, widthPx, heightPx, levels };
  }
}

/** Steps at total/2, total/4, ...: as many as can be afforded, the late ones first. */
export function momentsOf(total: number, affordable: number): readonly number[] {
  const count = Math.min(mostBetween, Math.max(0, Math.floor(affordable)));
  const steps = Array.from({ length: count }, (_, i) => Math.round(total / 2 ** (i + 1)));
  return [...new Set(steps)].filter((step) => step > 0);
}
