import { formatTable } from '../../src-main/cli/format.ts';
import type { CaseFigures, SideFigures } from './measure.ts';
import type { Profile } from './messages.ts';

/** A case as text: a table of both sides, the ratio, compile times, and the profile if there is one. */
export function caseText(figures: CaseFigures): string {
  const { nodes, traceSeconds, sessionSeconds, torch, torchVersion, ratio, profile } = figures;
  const head = ['', 'median ms', 'min ms', 'p90 ms', 'images/s', 'peak MiB'];
  const rows = [
    row('ours', figures.ours),
    ...torch.map((side) => row(`PyTorch ${torchVersion ?? ''}, ${side.side}`, side)),
  ];
  return [
    `${figures.case}: ${figures.title}`,
    formatTable([head, ...rows]),
    ...(ratio === undefined
      ? []
      : [`ours / best PyTorch: ${ratio}, of minima ${figures.ratioOfMinima}`]),
    `compiled in ${traceSeconds} s of tracing and ${sessionSeconds} s of onnxruntime, ${nodes} nodes`,
    ...(profile === undefined ? [] : ['', profileText(profile)]),
  ].join('\n');
}

function row(name: string, side: SideFigures): string[] {
  const { medianMs, minMs, p90Ms, imagesPerSecond, peakMib } = side;
  return [name, ...[medianMs, minMs, p90Ms, imagesPerSecond, peakMib].map(String)];
}

function profileText({ stepMs, families }: Profile): string {
  const rows = families.map(({ family, ms, nodes }) => [
    family,
    ms.toFixed(1),
    `${((100 * ms) / stepMs).toFixed(1)} %`,
    String(nodes),
  ]);
  const sum = ['one profiled step', stepMs.toFixed(1), '', ''];
  return formatTable([['family', 'ms', 'share', 'nodes'], ...rows, sum]);
}
