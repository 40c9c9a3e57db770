import type { RunMetrics } from '../../../src-main/contract/runs.ts';
import type { LineSeries } from '../../components/charts/line-chart.ts';

/** What the curves show: the paper's Figure 2, each level, or the two parts of every level's loss. */
export const curveModes = [
  { value: 'sides', label: 'Encoder and decoder' },
  { value: 'levels', label: 'Every level' },
  { value: 'group', label: 'Grouping' },
  { value: 'contrast', label: 'Contrast' },
] as const;
export type CurveMode = (typeof curveModes)[number]['value'];

/** The lines of a mode; the decoder's loss is the mean of its levels, as in the method. */
export function curvesOf(metrics: RunMetrics, mode: CurveMode): readonly LineSeries[] {
  const decoder = metrics.series.filter(({ name }) => /^loss\.level\d$/.test(name));
  if (mode !== 'sides') {
    const ending = mode === 'levels' ? '' : `.${mode}`;
    return metrics.series.flatMap(({ name, values }) => {
      const level = /^loss\.(encoder|level\d)(\.\w+)?$/.exec(name);
      if (level === null || (level[2] ?? '') !== ending) return [];
      return [{ name: levelName(level[1] ?? '', decoder.length), values, style: styleOf(name) }];
    });
  }
  const encoder = metrics.series.find(({ name }) => name === 'loss.encoder');
  return [
    ...(encoder === undefined ? [] : [{ name: 'encoder', values: encoder.values, style: 0 }]),
    ...(decoder.length === 0
      ? []
      : [{ name: 'decoder', values: meanOf(decoder.map(({ values }) => values)), style: 1 }]),
  ];
}

/** With several levels they are those of the pyramid, p2 the finest. */
function levelName(label: string, decoderLevels: number): string {
  if (label === 'encoder') return label;
  return decoderLevels > 1 ? `decoder p${Number(label.slice(5)) + 2}` : 'decoder';
}

function styleOf(name: string): number {
  return name.startsWith('loss.encoder') ? 0 : 1 + Number(name.slice(10, 11));
}

function meanOf(lists: readonly (readonly (number | null)[])[]): (number | null)[] {
  return (lists[0] ?? []).map((_, i) => {
    const values = lists.map((list) => list[i] ?? null).filter((value) => value !== null);
    return values.length < lists.length
      ? null
      : values.reduce((sum, value) => sum + value, 0) / values.length;
  });
}
