import type { Estimate, Plan } from '../../../src-main/contract/pretrain.ts';
import type { RunSummary } from '../../../src-main/contract/runs.ts';
import type { Status } from '../../../src-main/contract/values.ts';
import { formatCount, formatDuration, formatTimeRange } from '../../format.ts';

type Tone = 'neutral' | 'accent' | 'success' | 'warning' | 'danger' | 'info';

/** The state of a run in one word, and its color. */
export const statusWords: Readonly<Record<Status, { readonly text: string; readonly tone: Tone }>> =
  {
    queued: { text: 'Waiting', tone: 'neutral' },
    running: { text: 'Running', tone: 'accent' },
    paused: { text: 'Paused', tone: 'info' },
    done: { text: 'Done', tone: 'success' },
    failed: { text: 'Failed', tone: 'danger' },
    cancelled: { text: 'Canceled', tone: 'neutral' },
    interrupted: { text: 'Interrupted', tone: 'warning' },
  };

export const verdictWords = {
  healthy: { text: 'Healthy', tone: 'success' },
  watch: { text: 'Watch', tone: 'warning' },
  collapsed: { text: 'Collapsed', tone: 'danger' },
} as const satisfies Record<
  NonNullable<RunSummary['health']>,
  { readonly text: string; readonly tone: Tone }
>;

/** How long a plan takes: its time budget, or a predicted range. */
export function planTime({ settings, estimate }: Pick<Plan, 'settings' | 'estimate'>): string {
  const budget = settings['timeBudgetSeconds'];
  return typeof budget === 'number'
    ? `about ${formatDuration(budget)}`
    : formatTimeRange(estimate.seconds);
}

/** `1,200 to 1,500 steps` */
export function stepsText({ steps: [low, high] }: Estimate): string {
  return low === high
    ? `${formatCount(low)} steps`
    : `${formatCount(rounded(low))} to ${formatCount(rounded(high))} steps`;
}

/** `3 to 4 epochs` */
export function epochsText({ epochs: [low, high] }: Estimate): string {
  const isWide = high > 1.3 * low;
  const [from, to] = [low, high].map((value) =>
    formatEpochs(isWide && low > 2 ? Math.round(value) : value),
  );
  if (from === to) return `${from} ${from === '1' ? 'epoch' : 'epochs'}`;
  return `${from} to ${to} epochs`;
}

export function formatEpochs(value: number): string {
  return value < 10 ? String(Number(value.toFixed(1))) : formatCount(Math.round(value));
}

/** Two digits are enough for what is estimated. */
function rounded(value: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1);
  return Math.round(value / unit) * unit;
}
