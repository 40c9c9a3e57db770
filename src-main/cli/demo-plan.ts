import type { JsonObject } from '../project/values.ts';

/** The settings of the demo's trainings. */
export interface DemoPlan {
  readonly isQuick: boolean;
  readonly pretrain: JsonObject;
  readonly finetune: JsonObject;
}

/**
 * The full demo fits ten minutes on two cores by time budgets; the quick one proves that every part
 * works and learns next to nothing.
 */
export function demoPlan(isQuick: boolean): DemoPlan {
  return {
    isQuick,
    pretrain: { ...network, ...method, ...(isQuick ? quickPretrain : fullPretrain) },
    finetune: { ...network, ...labels, ...(isQuick ? quickFinetune : fullFinetune) },
  };
}

const fullPretrain = { timeBudgetSeconds: 270, batchSize: 16, cropPx: 96, tilePx: 192 };
const quickPretrain = { steps: 6, batchSize: 4, cropPx: 64, tilePx: 96, hidden: 64, scale: 0.5 };

const fullFinetune = {
  steps: 'auto',
  timeBudgetSeconds: 90,
  evaluations: 4,
  evaluationImages: 20,
};
const quickFinetune = {
  steps: 8,
  batch: 4,
  cropPx: 64,
  tilePx: 128,
  scale: 0.5,
  evaluations: 1,
  evaluationImages: 4,
};

const network = { encoder: 'resnet18', decoder: 'fpn', decoderChannels: 128 };

/**
 * A few hundred steps instead of the papers' hundred thousand: AdamW, which needs no tuning, and a
 * teacher that follows faster.
 */
const method = {
  levels: 'multi',
  dim: 64,
  hidden: 256,
  prototypes: 32,
  optimizer: 'adamw',
  learningRate: 8e-3,
  teacherMomentum: 0.96,
  seed: 1,
};

/** Cells have no "up", so quarter turns are fair. */
const labels = { fraction: 0.1, seed: 1, augmentation: { quarterTurns: true } };
