import type { OpCase } from '../check-op.ts';
import { convolutionCases } from './convolution.ts';
import { elementwiseCases } from './elementwise.ts';
import { keptRowsCases } from './kept-rows.ts';
import { matrixCases } from './matrix.ts';
import { normalizationCases } from './normalization.ts';
import { poolingCases } from './pooling.ts';
import { reductionCases } from './reduction.ts';
import { resizeCases } from './resize.ts';
import { shapeCases } from './shape.ts';

/** Every check of a traced operation, by family of kernels. */
export const opCases: Readonly<Record<string, readonly OpCase[]>> = {
  convolution: convolutionCases,
  elementwise: elementwiseCases,
  keptRows: keptRowsCases,
  matrix: matrixCases,
  normalization: normalizationCases,
  pooling: poolingCases,
  reduction: reductionCases,
  resize: resizeCases,
  shape: shapeCases,
};
