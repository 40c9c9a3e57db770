/** Where the cells of a grid of equal cells lie. Pixels are those of the screen. */
export interface GridLayout {
  readonly count: number;
  readonly columns: number;
  readonly rows: number;
  /** Side of the square a picture is shown in. */
  readonly cellPx: number;
  /** From one row to the next. */
  readonly rowPx: number;
  readonly totalPx: number;
}

export const gapPx = 12;
export const paddingPx = 16;
/** Below the picture: its name. */
export const captionPx = 28;

/** As many columns as fit; cells grow to fill the width. */
export function gridLayout(count: number, widthPx: number, wantedCellPx: number): GridLayout {
  const room = Math.max(wantedCellPx, widthPx - 2 * paddingPx);
  const columns = Math.max(1, Math.floor((room + gapPx) / (wantedCellPx + gapPx)));
  const cellPx = Math.floor((room - (columns - 1) * gapPx) / columns);
  const rowPx = cellPx + captionPx + gapPx;
  const rows = Math.ceil(count / columns);
  return { count, columns, rows, cellPx, rowPx, totalPx: rows * rowPx - gapPx + 2 * paddingPx };
}

/** The rows that a window of `heightPx` shows, and one more on each side; `end` is not shown. */
export function shownRows(
  layout: GridLayout,
  scrollTop: number,
  heightPx: number,
): { readonly first: number; readonly end: number } {
  const first = Math.floor((scrollTop - paddingPx) / layout.rowPx) - 1;
  const end = Math.ceil((scrollTop - paddingPx + heightPx) / layout.rowPx) + 1;
  return { first: Math.max(0, first), end: Math.min(layout.rows, Math.max(0, end)) };
}

/** How many rows can be shown at once. */
export function mostRows(layout: GridLayout, heightPx: number): number {
  return Math.min(layout.rows, Math.ceil(heightPx / layout.rowPx) + 3);
}

/** Which of the rows from `first` on lies in a slot; a row keeps its slot while it is shown. */
export function rowOfSlot(slot: number, first: number, slots: number): number {
  return first + ((((slot - first) % slots) + slots) % slots);
}

export function rowTop(layout: GridLayout, row: number): number {
  return paddingPx + row * layout.rowPx;
}

/** The scroll position that shows a cell, moved as little as possible. */
export function scrollToShow(
  layout: GridLayout,
  index: number,
  scrollTop: number,
  heightPx: number,
): number {
  const top = rowTop(layout, Math.floor(index / layout.columns));
  const bottom = top + layout.rowPx - gapPx;
  if (top - paddingPx < scrollTop) return top - paddingPx;
  return Math.max(scrollTop, bottom + paddingPx - heightPx);
}

/** Where a key leads from a cell; undefined for other keys. */
export function movedByKey(
  layout: GridLayout,
  index: number,
  key: string,
  heightPx: number,
): number | undefined {
  const page = Math.max(1, Math.floor(heightPx / layout.rowPx)) * layout.columns;
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -layout.columns,
    ArrowDown: layout.columns,
    PageUp: -page,
    PageDown: page,
    Home: -Infinity,
    End: Infinity,
  };
  const step = steps[key];
  if (step === undefined) return undefined;
  const last = layout.count - 1;
  const next = index + step;
  // Up from the first row and down from the last but one stay in their column where they can.
  if (next < 0 && key === 'ArrowUp') return index;
  if (next > last && key === 'ArrowDown') {
    return Math.floor(index / layout.columns) === layout.rows - 1 ? index : last;
  }
  return Math.min(last, Math.max(0, next));
}
