import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  StrokeSync,
  type Stroke,
  type StrokePart,
  type SyncState,
} from '../../../../src-renderer/screens/label/stroke-sync.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const strokeOf = (id: string): Stroke => ({ id, tool: 'brush' });

/** A sync whose painted tiles are set by hand and whose sending can be stopped. */
function bench() {
  const sent: {
    readonly strokeId: string;
    readonly tiles: readonly number[];
    readonly isFinal: boolean;
  }[] = [];
  const states: SyncState[] = [];
  let painted: number[] = [];
  let fault: Error | undefined;
  const sync = new StrokeSync({
    take: () => {
      const tiles = new Map(painted.map((tile) => [tile, new Uint8Array(1)]));
      painted = [];
      return Promise.resolve(tiles);
    },
    send: async ({ stroke, tiles, isFinal }: StrokePart) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (fault !== undefined) throw fault;
      sent.push({ strokeId: stroke.id, tiles: [...tiles.keys()], isFinal });
    },
    onState: (state) => states.push(state),
    sentenceOf: (error) => (error instanceof Error ? error.message : ''),
  });
  const paint = (strokeId: string, ...tiles: number[]): void => {
    painted.push(...tiles);
    sync.changed(strokeOf(strokeId));
  };
  return { sync, sent, states, paint, breakWith: (error?: Error) => (fault = error) };
}

describe('StrokeSync', () => {
  it('stores a stroke that goes on within 400 ms', async () => {
    const { sent, paint, states } = bench();
    paint('a', 1);
    await vi.advanceTimersByTimeAsync(200);
    paint('a', 2);
    await vi.advanceTimersByTimeAsync(199);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(60);
    expect(sent).toEqual([{ strokeId: 'a', tiles: [1, 2], isFinal: false }]);
    expect(states).toEqual([{ type: 'storing' }, { type: 'stored' }]);
  });

  it('stores at once when a stroke ends, in the order of painting', async () => {
    const { sync, sent, paint } = bench();
    paint('a', 1);
    void sync.end(strokeOf('a'));
    paint('b', 2);
    void sync.end(strokeOf('b'));
    paint('c', 1);
    const isStored = sync.end(strokeOf('c'));
    await vi.advanceTimersByTimeAsync(200);
    expect(await isStored).toBe(true);
    expect(sent.map(({ strokeId }) => strokeId)).toEqual(['a', 'b', 'c']);
    expect(sent.every(({ isFinal }) => isFinal)).toBe(true);
  });

  it('keeps what could not be stored, says so and tries again', async () => {
    const { sync, sent, states, paint, breakWith } = bench();
    breakWith(new Error('The disk is full.'));
    paint('a', 1);
    const isStored = sync.flush();
    await vi.advanceTimersByTimeAsync(60);
    expect(await isStored).toBe(false);
    expect(states.at(-1)).toEqual({ type: 'failed', message: 'The disk is full.' });
    paint('a', 2);
    paint('b', 3);
    breakWith();
    await vi.advanceTimersByTimeAsync(1200);
    expect(sent[0]?.strokeId).toBe('a');
    expect(sent.flatMap(({ tiles }) => tiles)).toEqual([1, 2, 3]);
    expect(states.at(-1)).toEqual({ type: 'stored' });
    expect(sync.isIdle).toBe(true);
  });

  it('sends parts of one stroke that waited together', async () => {
    const { sync, sent, paint, breakWith } = bench();
    breakWith(new Error('away'));
    paint('a', 1);
    void sync.flush();
    await vi.advanceTimersByTimeAsync(60);
    paint('a', 2);
    breakWith();
    const isStored = sync.retry();
    await vi.advanceTimersByTimeAsync(300);
    expect(await isStored).toBe(true);
    expect(sent).toEqual([{ strokeId: 'a', tiles: [1, 2], isFinal: false }]);
  });

  it('tells that a stroke is over when everything of it was stored before', async () => {
    const { sync, sent, paint } = bench();
    paint('a', 1);
    await vi.advanceTimersByTimeAsync(500);
    const isStored = sync.end(strokeOf('a'));
    await vi.advanceTimersByTimeAsync(100);
    expect(await isStored).toBe(true);
    expect(sent.at(-1)).toEqual({ strokeId: 'a', tiles: [], isFinal: true });
  });
});
