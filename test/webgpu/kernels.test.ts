import { it } from 'vitest';
import { opCases } from '../unit/graph/cases/all.ts';
import { checkOpOnWebgpu } from '../unit/graph/check-op.ts';
import { describeOnWebgpu } from './open-device.ts';

const describe = await describeOnWebgpu();

for (const [family, cases] of Object.entries(opCases)) {
  describe(family, () => {
    for (const check of cases) it(check.name, () => checkOpOnWebgpu(check));
  });
}
