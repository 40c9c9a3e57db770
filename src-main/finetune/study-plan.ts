import { labelledTrainingItems, nestedSubset } from '../datasets/fractions.ts';
import type { Project } from '../project/project.ts';
import type { FinetuneConfig } from './config.ts';
import {
  type Seconds,
  trainingMemory,
  trainingTime,
  type TrainingTime,
  weightBytes,
} from './cost.ts';
import { percent } from './study-text.ts';

/** What shall be trained: one training, or every combination of share, start and seed. */
export interface PlanRequest {
  readonly finetune: FinetuneConfig;
  readonly fractions: readonly number[];
  readonly starts: readonly string[];
  readonly seeds: readonly number[];
}

export interface PlannedShare {
  readonly fraction: number;
  /** Training images; the same number for every seed unless classes are rare. */
  readonly images: number;
  /** More than was asked for, because fewer would miss a class. */
  readonly isRaised: boolean;
}

export interface HeldOut {
  readonly part: 'test' | 'val';
  readonly images: number;
  readonly groups: number;
}

/** What is known before the first training begins. */
export interface StudyPlan {
  readonly trainings: number;
  readonly shares: readonly PlannedShare[];
  readonly heldOut: HeldOut;
  readonly validationImages: number;
  readonly seconds: Seconds;
  readonly secondsEach: Seconds;
  readonly basis: TrainingTime['basis'];
  readonly memoryBytes: number;
  readonly freeBytes: number;
  readonly diskBytes: number;
  /** What the result will not be able to say, as sentences. */
  readonly limits: readonly string[];
  /** Why it cannot begin, as sentences. */
  readonly problems: readonly string[];
}

/** Fewer held-out images give intervals so wide that nearly nothing can be concluded. */
const fewHeldOut = 20;
/** Fewer labelled images cannot be told apart from one another as shares. */
const fewTraining = 4;
/** Below this share of the pixels a class is hard to learn and to measure. */
const rareShare = 0.001;

/** The plan of a comparison or of one training: numbers, time, memory, and what it cannot say. */
export function studyPlan(project: Project, request: PlanRequest): StudyPlan {
  const { finetune, fractions, starts, seeds } = request;
  const items = labelledTrainingItems(project);
  const shares = fractions.map((fraction): PlannedShare => {
    const images = items.length === 0 ? 0 : nestedSubset(items, fraction, seeds[0] ?? 0).length;
    return {
      fraction,
      images,
      isRaised: images > Math.max(1, Math.round(fraction * items.length)),
    };
  });
  const validationImages = countLabelled(project, 'val');
  const heldOut = heldOutPart(project);
  const trainings = shares.length * starts.length * seeds.length;
  const time = trainingTime(project, finetune, heldOut.images + validationImages);
  const [low, high] = time.seconds;
  return {
    trainings,
    shares,
    heldOut,
    validationImages,
    seconds: [low * trainings, high * trainings],
    secondsEach: time.seconds,
    basis: time.basis,
    memoryBytes: trainingMemory(finetune),
    freeBytes: process.availableMemory(),
    // Of each the weights that are served, of the running one the state to continue from as well.
    diskBytes: (trainings + 4) * weightBytes(finetune),
    limits: limitsOf(request, { shares, heldOut, validationImages, rare: rareClasses(project) }),
    problems: problemsOf(project, items.length, heldOut),
  };
}

/** The part that scores are measured on: test, or validation where nothing else has labels. */
export function heldOutPart(project: Project): HeldOut {
  const images = project.images.list({ split: 'test', status: 'usable', hasMask: true });
  const [part, held] =
    images.length > 0
      ? (['test', images] as const)
      : (['val', project.images.list({ split: 'val', status: 'usable', hasMask: true })] as const);
  const groups = new Set(held.map(({ id, groupKey }) => groupKey ?? id)).size;
  return { part, images: held.length, groups };
}

interface Known {
  readonly shares: readonly PlannedShare[];
  readonly heldOut: HeldOut;
  readonly validationImages: number;
  readonly rare: readonly string[];
}

function limitsOf({ starts, seeds }: PlanRequest, known: Known): string[] {
  const { shares, heldOut, validationImages, rare } = known;
  const limits: string[] = [];
  const isComparison = starts.length > 1;
  if (isComparison && seeds.length === 1) {
    limits.push(
      'One repetition cannot tell the start from the luck of training: there will be scores, but no verdict.',
    );
  }
  if (isComparison && !starts.includes('random')) {
    limits.push('Without random weights among the starts there is no baseline to compare with.');
  }
  if (heldOut.images < fewHeldOut) {
    limits.push(
      `Only ${heldOut.images} held-out images are labelled (fewer than ${fewHeldOut}): only large differences will show.`,
    );
  } else if (heldOut.groups < heldOut.images && heldOut.groups < fewHeldOut / 2) {
    limits.push(
      `The ${heldOut.images} held-out images come from ${heldOut.groups} groups, which count like ${heldOut.groups} images: only large differences will show.`,
    );
  }
  if (heldOut.part === 'val') {
    limits.push(
      'There are no labelled test images. Scores come from the validation images that also choose the weights, so they are a little too good.',
    );
  }
  if (validationImages === 0) {
    limits.push(
      'No validation image is labelled, so the last weights are kept instead of the best.',
    );
  }
  for (const { fraction, images, isRaised } of shares) {
    if (isRaised) {
      limits.push(
        `${percent(fraction)} is raised to ${images} images, the fewest with an example of every class.`,
      );
    }
  }
  if (rare.length > 0) {
    limits.push(
      `Under 0.1 % of the labelled pixels belong to ${rare.join(', ')}; scores of such a class swing widely.`,
    );
  }
  return limits;
}

function problemsOf(project: Project, training: number, heldOut: HeldOut): string[] {
  const problems: string[] = [];
  const classes = project.classes.list().length;
  if (classes < 2) {
    problems.push('Segmentation needs at least two classes, for example background and cell.');
  }
  if (training < fewTraining) {
    problems.push(
      `Label at least ${fewTraining} training images first; there ${training === 1 ? 'is 1' : `are ${training}`}.`,
    );
  }
  if (heldOut.images === 0) {
    problems.push(
      'No labelled image is held out, so nothing could be measured. Label more images; some of them become test images.',
    );
  }
  return problems;
}

function countLabelled(project: Project, split: 'train' | 'val' | 'test'): number {
  return project.images.count({ split, status: 'usable', hasMask: true });
}

/** Names of classes with next to no labelled pixels. */
function rareClasses(project: Project): string[] {
  const totals: number[] = [];
  for (const { classPixels } of project.masks.list()) {
    classPixels.forEach((pixels, index) => (totals[index] = (totals[index] ?? 0) + pixels));
  }
  const all = totals.reduce((sum, pixels) => sum + pixels, 0);
  return project.classes
    .list()
    .filter(({ classIndex }) => (totals[classIndex] ?? 0) < rareShare * all)
    .map(({ name }) => name);
}
