import type { Progress } from '../lib/progress.ts';

/**
 * `Learning  120/2000 steps (6 %)  loss 5.32  21 images/s  1.2 GB  12 to 14 min left`. Parts of parts
 * (`loss.level0.group`) are left to the JSON output.
 */
export function formatProgress(progress: Progress): string {
  const { phase, done, total, unit, values = {} } = progress;
  const count = total > 0 ? `${done}/${total}` : String(done); // 0: not known yet
  const share = total > 0 ? ` (${Math.floor((100 * done) / total)} %)` : '';
  const parts = [phase, `${count} ${unit}s${share}`];
  for (const [name, value] of Object.entries(values)) {
    if (name.split('.').length <= 2) parts.push(`${name} ${formatFigure(value)}`);
  }
  if (progress.imagesPerSecond !== undefined) {
    parts.push(`${formatFigure(progress.imagesPerSecond)} images/s`);
  }
  if (progress.memoryBytes !== undefined) parts.push(formatBytes(progress.memoryBytes));
  if (progress.remainingSeconds !== undefined) {
    parts.push(`${formatTimeRange(progress.remainingSeconds)} left`);
  }
  return parts.join('  ');
}

/** Three significant digits. */
export function formatFigure(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : 'not a number';
}

/** In powers of 1000: `1.2 GB`. */
export function formatBytes(bytes: number): string {
  for (const [unit, size] of byteUnits) {
    if (bytes >= size) return `${formatFigure(bytes / size)} ${unit}`;
  }
  return `${bytes} bytes`;
}

/** `12 to 14 min`, or one time where both ends read the same. */
export function formatTimeRange([low, high]: readonly [number, number]): string {
  const [unit, seconds] = timeUnitOf(high);
  const [from, to] = [Math.floor(low / seconds), Math.ceil(high / seconds)];
  return from === to ? `${to} ${unit}` : `${from} to ${to} ${unit}`;
}

/** `85 s`, `12 min`, `3.5 h` */
export function formatDuration(seconds: number): string {
  const [unit, size] = timeUnitOf(seconds);
  return `${formatFigure(seconds / size)} ${unit}`;
}

/** Columns as wide as their widest cell; the first row is the head. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  return lines.join('\n');
}

function timeUnitOf(seconds: number): readonly [string, number] {
  if (seconds < 120) return ['s', 1];
  return seconds < 7200 ? ['min', 60] : ['h', 3600];
}

const byteUnits = [
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
] as const;
