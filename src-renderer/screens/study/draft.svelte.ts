import type {
  AdvancedSettings,
  Length,
  Metric,
  ShareInput,
  Start,
  StudyInput,
  StudyOptions,
  TrainingInput,
} from '../../../src-main/contract/studies.ts';
import type { Place } from '../../../src-main/contract/values.ts';
import { startOrder } from './words.ts';

export type Mode = 'compare' | 'train';

/** What the wizard has been told so far. */
export class Draft {
  readonly mode: Mode;
  name = $state('');
  shares: readonly ShareInput[] = $state.raw([]);
  starts: readonly Start[] = $state.raw(['random']);
  seeds: 1 | 3 | 5 = $state(3);
  metric: Metric = $state('meanIou');
  lengthType: Length['type'] = $state('time');
  minutes = $state(5);
  steps = $state(1000);
  pretrainRunId: string | undefined = $state();
  weights: Place | undefined = $state.raw();
  advanced: AdvancedSettings = $state.raw({});

  constructor(mode: Mode, options: StudyOptions) {
    this.mode = mode;
    const best = options.pretrainings[0];
    this.pretrainRunId = best?.runId;
    if (mode === 'train') {
      this.shares = [{ type: 'share', share: 1 }];
      this.starts = [startsOf(options).at(-1) ?? 'random'];
    } else {
      this.shares = usefulShares(options);
      this.starts = startsOf(options);
    }
  }

  readonly length: Length = $derived.by(() => {
    switch (this.lengthType) {
      case 'auto':
        return { type: 'auto' };
      case 'time':
        return { type: 'time', seconds: 60 * this.minutes };
      case 'steps':
        return { type: 'steps', steps: this.steps };
    }
  });

  /** Why nothing can be planned yet; undefined when it can. */
  readonly gap = $derived.by(() => {
    if (this.shares.length === 0) return 'Choose at least one labelled share.';
    if (this.starts.length === 0) return 'Choose at least one start.';
    if (this.starts.includes('file') && this.weights === undefined) {
      return 'Choose the weights file to start from.';
    }
    return undefined;
  });

  readonly studyInput: StudyInput = $derived({
    ...this.#shared(),
    shares: [...this.shares],
    starts: [...this.starts],
    seeds: this.seeds,
    metric: this.metric,
  });

  readonly trainingInput: TrainingInput = $derived({
    ...this.#shared(),
    share: this.shares[0] ?? { type: 'share', share: 1 },
    start: this.starts[0] ?? 'random',
  });

  toggleShare(share: ShareInput): void {
    const others = this.shares.filter((known) => !isSameShare(known, share));
    const isNew = others.length === this.shares.length;
    if (this.mode === 'train') this.shares = [share];
    else this.shares = isNew ? [...others, share] : others;
  }

  hasShare(share: ShareInput): boolean {
    return this.shares.some((known) => isSameShare(known, share));
  }

  toggleStart(start: Start): void {
    if (this.mode === 'train') {
      this.starts = [start];
      return;
    }
    const chosen = new Set(this.starts);
    if (!chosen.delete(start)) chosen.add(start);
    this.starts = startOrder.filter((known) => chosen.has(known));
  }

  setAdvanced(change: AdvancedSettings): void {
    const all = Object.entries({ ...this.advanced, ...change });
    this.advanced = Object.fromEntries(all.filter(([, value]) => value !== undefined));
  }

  #shared() {
    return {
      ...(this.pretrainRunId === undefined ? {} : { pretrainRunId: this.pretrainRunId }),
      ...(this.weights === undefined ? {} : { weightsPlaceId: this.weights.placeId }),
      length: this.length,
      advanced: this.advanced,
    };
  }
}

function startsOf({ pretrainings }: StudyOptions): readonly Start[] {
  const [run] = pretrainings;
  if (run === undefined) return ['random'];
  return run.decoder === 'none' ? ['random', 'encoder'] : ['random', 'encoder', 'encoder+decoder'];
}

/** The usual shares that differ in images: with 20 labels, 5 and 10 % may be the same two. */
function usefulShares({ shares }: StudyOptions): readonly ShareInput[] {
  const seen = new Set<number>();
  return shares.flatMap(({ share, images }): ShareInput[] => {
    if (seen.has(images)) return [];
    seen.add(images);
    return [{ type: 'share', share }];
  });
}

function isSameShare(a: ShareInput, b: ShareInput): boolean {
  if (a.type === 'share') return b.type === 'share' && a.share === b.share;
  return b.type === 'images' && a.images === b.images;
}
