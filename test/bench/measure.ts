import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeviceName } from '../../src-main/graph/device-report.ts';
import { defaultTorchSettings, type BenchCase } from './cases.ts';
import { overRounds, roundFigures, rounded, type RoundFigures } from './figures.ts';
import type { Profile } from './messages.ts';
import { openOurs } from './ours.ts';
import { runTorch, type TorchProgram, type TorchReport } from './torch.ts';

export interface MeasureOptions {
  readonly device: DeviceName;
  /** All cores when absent. */
  readonly threads: number | undefined;
  /** Of our products; PyTorch's is one of its settings (`amp`). */
  readonly precision: 'single' | 'half';
  readonly rounds: number;
  /** The case's own number when absent. */
  readonly steps: number | undefined;
  readonly torch: TorchProgram | undefined;
  /** The case's own when absent. */
  readonly torchSettings: readonly string[] | undefined;
  readonly hasProfile: boolean;
  readonly onRound: (sentence: string) => void;
}

/** One side of a case: ours, or PyTorch with some settings. */
export interface SideFigures {
  readonly side: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly p90Ms: number;
  readonly imagesPerSecond: number;
  readonly peakMib: number;
  /** Medians of the rounds in order. */
  readonly roundsMs: readonly number[];
}

export interface CaseFigures {
  readonly case: string;
  readonly title: string;
  readonly ours: SideFigures;
  readonly nodes: number;
  readonly traceSeconds: number;
  readonly sessionSeconds: number;
  readonly torch: readonly SideFigures[];
  readonly torchVersion?: string;
  /** Our median by that of PyTorch's best settings; below 1 is faster than PyTorch. */
  readonly ratio?: number;
  /** The same of the minima, which other work on the machine moves less. */
  readonly ratioOfMinima?: number;
  readonly profile?: Profile;
}

/**
 * Measures a case: in every round our process, which stays, and PyTorch once for each of its
 * settings, in turn, so that a slow spell of the machine meets all. Rounds begin with another side
 * each.
 */
export async function measureCase(bench: BenchCase, options: MeasureOptions): Promise<CaseFigures> {
  const { torch } = options;
  const settings =
    torch === undefined ? [] : (options.torchSettings ?? defaultTorchSettings(bench));
  const round = { steps: options.steps ?? bench.steps, warmup: bench.warmup };
  const ours = await openOurs(subjectOf(bench, options));
  const ourRounds: RoundFigures[] = [];
  const reports = settings.map((name) => ({ name, rounds: new Array<TorchReport>() }));
  const sides = [
    async () => {
      const figures = roundFigures(await ours.run(round));
      ourRounds.push(figures);
      options.onRound(`${bench.name}: ours ${rounded(figures.median)} ms`);
    },
    ...reports.map(({ name, rounds }) => async () => {
      if (torch === undefined) return;
      const report = await runTorch(torch, bench, { settings: name, ...round });
      rounds.push(report);
      options.onRound(`${bench.name}: PyTorch, ${name} ${rounded(report.ms.median)} ms`);
    }),
  ];
  for (let i = 0; i < options.rounds; i++) {
    const first = i % sides.length;
    for (const side of [...sides.slice(first), ...sides.slice(0, first)]) await side();
  }
  const { nodes, traceMs, compileMs } = ours.info;
  const { peakMib } = await ours.end();
  const own = sideFigures('ours', bench, { rounds: ourRounds, peakMib });
  const theirs = reports.map(({ name, rounds }) =>
    sideFigures(name, bench, {
      rounds: rounds.map(({ ms }) => ms),
      peakMib: Math.max(...rounds.map((report) => report.peak_mib)),
    }),
  );
  const torchVersion = reports[0]?.rounds[0]?.torch;
  return {
    ...{ case: bench.name, title: bench.title, ours: own, nodes },
    traceSeconds: rounded(traceMs / 1000, 2),
    sessionSeconds: rounded(compileMs / 1000, 2),
    torch: theirs,
    ...(torchVersion === undefined ? {} : { torchVersion, ...ratiosOf(own, theirs) }),
    ...(options.hasProfile ? await profileOf(bench, options) : {}),
  };
}

function ratiosOf(ours: SideFigures, torch: readonly SideFigures[]) {
  const least = (figure: 'medianMs' | 'minMs') => Math.min(...torch.map((side) => side[figure]));
  return {
    ratio: rounded(ours.medianMs / least('medianMs'), 3),
    ratioOfMinima: rounded(ours.minMs / least('minMs'), 3),
  };
}

function sideFigures(
  side: string,
  { batch }: BenchCase,
  { rounds, peakMib }: { readonly rounds: readonly RoundFigures[]; readonly peakMib: number },
): SideFigures {
  const { median, min, p90 } = overRounds(rounds);
  return {
    ...{ side, medianMs: rounded(median), minMs: rounded(min), p90Ms: rounded(p90) },
    imagesPerSecond: rounded((1000 * batch) / median, 2),
    peakMib: Math.round(peakMib),
    roundsMs: rounds.map((round) => rounded(round.median)),
  };
}

/** Profiled steps are slower and take more memory, so they are taken by a process of their own. */
async function profileOf(
  bench: BenchCase,
  options: MeasureOptions,
): Promise<Pick<CaseFigures, 'profile'>> {
  const folder = mkdtempSync(join(tmpdir(), 'decon-bench-profile-'));
  try {
    const profilePrefix = join(folder, 'profile');
    const ours = await openOurs({ ...subjectOf(bench, options), profilePrefix });
    await ours.run({ warmup: bench.warmup, steps: 1 });
    const { profile } = await ours.end();
    return profile === undefined ? {} : { profile };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function subjectOf({ name }: BenchCase, { device, threads, precision }: MeasureOptions) {
  return { name, device, precision, ...(threads === undefined ? {} : { threads }) };
}
