import * as v from 'valibot';

/** A training or prediction of fixed sizes, the same for our engine and for PyTorch. */
export interface BenchCase {
  readonly name: CaseName;
  readonly kind: 'pretrain' | 'finetune' | 'infer';
  readonly title: string;
  readonly encoder: 'resnet18' | 'resnet50';
  readonly decoder: 'none' | 'fpn';
  /** Side of a crop or picture. */
  readonly sizePx: number;
  /** Images of a step; pre-training takes two crops of each. */
  readonly batch: number;
  /** Steps of a round that are timed, and those before them that are not. */
  readonly steps: number;
  readonly warmup: number;
  /** Of pre-training; the defaults of the method elsewhere. */
  readonly heads: { readonly hidden: number; readonly dim: number; readonly prototypes: number };
}

const CASE_NAMES = ['A', 'B', 'C', 'D', 'E', 'F'] as const;
export const CaseNameSchema = v.picklist(CASE_NAMES);
export type CaseName = v.InferOutput<typeof CaseNameSchema>;

/** Classes of fine-tuning and prediction. */
export const CLASS_COUNT = 12;

const small = { hidden: 512, dim: 128, prototypes: 64 };
const large = { hidden: 1024, dim: 256, prototypes: 256 };

/** In the order of their names. */
export const CASES: Readonly<Record<CaseName, BenchCase>> = {
  A: {
    name: 'A',
    title: 'pre-training, ResNet-18, FPN, four levels, 128 px, batch 16',
    ...{ kind: 'pretrain', encoder: 'resnet18', decoder: 'fpn', sizePx: 128, batch: 16 },
    ...{ heads: small, steps: 2, warmup: 1 },
  },
  B: {
    name: 'B',
    title: 'pre-training, ResNet-18, no decoder, 128 px, batch 16',
    ...{ kind: 'pretrain', encoder: 'resnet18', decoder: 'none', sizePx: 128, batch: 16 },
    ...{ heads: small, steps: 5, warmup: 1 },
  },
  C: {
    name: 'C',
    title: 'pre-training, ResNet-50, FPN, four levels, 128 px, batch 8',
    ...{ kind: 'pretrain', encoder: 'resnet50', decoder: 'fpn', sizePx: 128, batch: 8 },
    ...{ heads: large, steps: 2, warmup: 1 },
  },
  D: {
    name: 'D',
    title: 'fine-tuning, ResNet-18, FPN, 256 px, batch 8',
    ...{ kind: 'finetune', encoder: 'resnet18', decoder: 'fpn', sizePx: 256, batch: 8 },
    ...{ heads: small, steps: 3, warmup: 1 },
  },
  // TorchScript optimizes in its first two runs.
  E: {
    name: 'E',
    title: 'prediction, ResNet-18, FPN, 512 px, batch 1',
    ...{ kind: 'infer', encoder: 'resnet18', decoder: 'fpn', sizePx: 512, batch: 1 },
    ...{ heads: small, steps: 10, warmup: 3 },
  },
  F: {
    name: 'F',
    title: 'prediction, ResNet-50, FPN, 512 px, batch 1',
    ...{ kind: 'infer', encoder: 'resnet50', decoder: 'fpn', sizePx: 512, batch: 1 },
    ...{ heads: small, steps: 5, warmup: 3 },
  },
};

/** The case as arguments of the PyTorch program. */
export function torchArguments(bench: BenchCase): readonly string[] {
  const { kind, encoder, decoder, sizePx, batch, heads } = bench;
  return [
    ...['--mode', kind, '--encoder', encoder, '--decoder', decoder],
    ...['--size', String(sizePx), '--batch', String(batch)],
    ...(kind === 'pretrain'
      ? [
          ...['--levels', 'multi', '--hidden', String(heads.hidden), '--dim', String(heads.dim)],
          ...['--prototypes', String(heads.prototypes), '--optimizer', 'lars'],
        ]
      : ['--classes', String(CLASS_COUNT)]),
    ...(kind === 'finetune' ? ['--optimizer', 'sgd'] : []),
  ];
}

/** What PyTorch is tried with: as it comes, and what is fastest on a CPU. */
export function defaultTorchSettings({ kind }: BenchCase): readonly string[] {
  return kind === 'infer'
    ? ['default', 'channels-last keep-heap', 'channels-last freeze keep-heap']
    : ['default', 'channels-last keep-heap'];
}
