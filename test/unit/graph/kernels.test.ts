import { getKernelsForBackend } from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { TRACED_KERNELS } from '../../../src-main/graph/backend.ts';
import { opCases } from './cases/all.ts';
import { checkOp, traceOp } from './check-op.ts';

for (const [family, cases] of Object.entries(opCases)) {
  describe(family, () => {
    for (const check of cases) it(check.name, () => checkOp(check));
  });
}

it('checks every kernel', () => {
  const cases = Object.values(opCases).flat();
  cases.slice(0, 1).forEach(traceOp); // registers the kernels
  const spies = getKernelsForBackend('decon-trace').map((kernel) => ({
    name: kernel.kernelName,
    spy: vi.spyOn(kernel, 'kernelFunc'),
  }));
  cases.forEach(traceOp);
  const called = spies.filter(({ spy }) => spy.mock.calls.length > 0).map(({ name }) => name);
  expect(Object.keys(TRACED_KERNELS).filter((kernel) => !called.includes(kernel))).toEqual([]);
});
