/** Figures and times as people read them. English, with thin spaces before units. */

const numberFormat = new Intl.NumberFormat('en-US');
const dateFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
const gap = '\u202f';

/** 12,345 */
export function formatCount(value: number): string {
  return numberFormat.format(value);
}

/** `1 image`, `12,345 images`; the plural is the word with an s unless given. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Three significant digits, as many as a measured figure is worth. */
export function formatFigure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(1);
  return new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 }).format(value);
}

/** A score between 0 and 1 with three decimals; `–` where there is none. */
export function formatScore(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : value.toFixed(3);
}

/** 0.052 as `5.2 %`; shares that are small but not zero are not rounded to zero. */
export function formatPercent(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return `< 0.1${gap}%`;
  const digits = percent < 10 && !Number.isInteger(percent) ? 1 : 0;
  return `${percent.toFixed(digits)}${gap}%`;
}

/** `3.4 GB`, in powers of ten as file managers and disks count. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const text = unit === 0 || value >= 99.5 ? value.toFixed(0) : String(Number(value.toFixed(1)));
  return `${text}${gap}${units[unit] ?? ''}`;
}

/** `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}${gap}s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${minutes}${gap}min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return joined(hours, 'h', minutes % 60, 'min');
  return joined(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** An honest range: `8 to 12 min`, `about 3 h`. */
export function formatTimeRange([low, high]: readonly [number, number]): string {
  if (high < 60) return 'under a minute';
  const [from, to] = [formatDuration(low), formatDuration(high)];
  if (from === to) return `about ${from}`;
  const inMinutes = low >= 60 && high < 3570;
  return inMinutes ? `${Math.round(low / 60)} to ${to}` : `${from} to ${to}`;
}

/** `23 Nov 2026, 18:20` */
export function formatDate(time: number): string {
  return dateFormat.format(time);
}

/** `just now`, `5 min ago`, `3 h ago`, then the date. */
export function formatAgo(time: number, now: number): string {
  const seconds = (now - time) / 1000;
  if (seconds < 60) return 'just now';
  if (seconds < 24 * 3600) return `${formatDuration(seconds).replace(/ \d+\u202fmin$/, '')} ago`;
  return formatDate(time);
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  const first = `${large}${gap}${largeUnit}`;
  return small === 0 ? first : `${first} ${small}${gap}${smallUnit}`;
}
