/**
 * Eigenvalues of a real symmetric matrix, ascending. matrix: [size, size] row-major, of which the
 * lower triangle is read. Householder tridiagonalization (Golub and Van Loan, section 8.3), then
 * bisection with Sturm counts (8.4); accurate to about 1e-12 of the largest one.
 */
export function symmetricEigenvalues(matrix: ArrayLike<number>, size: number): Float64Array {
  const { diagonal, offDiagonal } = tridiagonalize(Float64Array.from(matrix), size);
  let bound = 0;
  for (let i = 0; i < size; i++) {
    const radius = Math.abs(at(offDiagonal, i - 1)) + Math.abs(at(offDiagonal, i));
    bound = Math.max(bound, Math.abs(at(diagonal, i)) + radius);
  }
  const values = new Float64Array(size);
  let previous = -bound;
  for (let index = 0; index < size; index++) {
    let [low, high] = [previous, bound];
    for (let halving = 0; halving < 60 && high - low > 1e-13 * bound; halving++) {
      const middle = (low + high) / 2;
      if (countBelow(diagonal, offDiagonal, middle) > index) high = middle;
      else low = middle;
    }
    values[index] = (low + high) / 2;
    previous = low;
  }
  return values;
}

function tridiagonalize(
  a: Float64Array,
  size: number,
): { readonly diagonal: Float64Array; readonly offDiagonal: Float64Array } {
  const diagonal = new Float64Array(size);
  const offDiagonal = new Float64Array(size);
  const v = new Float64Array(size);
  const w = new Float64Array(size);
  for (let k = 0; k < size; k++) {
    diagonal[k] = at(a, k * size + k);
    if (k + 1 >= size) break;
    let square = 0;
    for (let i = k + 1; i < size; i++) {
      v[i] = at(a, i * size + k);
      square += at(v, i) ** 2;
    }
    const alpha = at(v, k + 1) > 0 ? -Math.sqrt(square) : Math.sqrt(square);
    offDiagonal[k] = alpha;
    v[k + 1] = at(v, k + 1) - alpha;
    reflect(a, size, k + 1, v, w);
  }
  return { diagonal, offDiagonal };
}

/** a <- H a H on rows and columns from `start`, H = I - 2 v v^T / |v|^2; lower triangle only. */
function reflect(
  a: Float64Array,
  size: number,
  start: number,
  v: Float64Array,
  w: Float64Array,
): void {
  let norm = 0;
  for (let i = start; i < size; i++) norm += at(v, i) ** 2;
  if (norm === 0) return;
  let projection = 0;
  for (let i = start; i < size; i++) {
    let sum = 0;
    for (let j = start; j <= i; j++) sum += at(a, i * size + j) * at(v, j);
    for (let j = i + 1; j < size; j++) sum += at(a, j * size + i) * at(v, j);
    w[i] = (2 * sum) / norm;
    projection += at(w, i) * at(v, i);
  }
  for (let i = start; i < size; i++) w[i] = at(w, i) - (projection / norm) * at(v, i);
  for (let i = start; i < size; i++) {
    for (let j = start; j <= i; j++) {
      a[i * size + j] = at(a, i * size + j) - at(v, i) * at(w, j) - at(w, i) * at(v, j);
    }
  }
}

/** How many eigenvalues of the tridiagonal matrix lie below `x`. */
function countBelow(diagonal: Float64Array, offDiagonal: Float64Array, x: number): number {
  let count = 0;
  let pivot = 1;
  for (let i = 0; i < diagonal.length; i++) {
    const coupling = i === 0 ? 0 : at(offDiagonal, i - 1) ** 2;
    pivot = at(diagonal, i) - x - coupling / (pivot === 0 ? 1e-300 : pivot);
    if (pivot < 0) count++;
  }
  return count;
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? 0;
}
