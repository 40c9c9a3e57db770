import { expect, it } from 'vitest';
import { symmetricEigenvalues } from '../../../src-main/lib/eigenvalues.ts';
import { Random } from '../../../src-main/lib/random.ts';

it('finds the eigenvalues of small matrices', () => {
  expect([...symmetricEigenvalues([3], 1)][0]).toBeCloseTo(3, 10);
  const two = symmetricEigenvalues([2, 1, 1, 2], 2);
  expect(two[0]).toBeCloseTo(1, 10);
  expect(two[1]).toBeCloseTo(3, 10);
  expect([...symmetricEigenvalues(new Float64Array(9), 3)]).toEqual([0, 0, 0]);
  const repeated = symmetricEigenvalues([1, 0, 0, 0, 1, 0, 0, 0, -4], 3);
  [-4, 1, 1].forEach((value, i) => expect(repeated[i]).toBeCloseTo(value, 10));
});

it('keeps trace and squared norm of a random matrix', () => {
  const size = 40;
  const random = new Random(1);
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      matrix[i * size + j] = random.normal();
      matrix[j * size + i] = matrix[i * size + j] ?? 0;
    }
  }
  const values = [...symmetricEigenvalues(matrix, size)];
  const trace = Array.from({ length: size }, (_, i) => matrix[i * size + i] ?? 0);
  const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);
  expect(sum(values)).toBeCloseTo(sum(trace), 8);
  expect(sum(values.map((value) => value ** 2))).toBeCloseTo(sum(matrix.map((x) => x ** 2)), 7);
  expect(values).toEqual([...values].sort((a, b) => a - b));
});
