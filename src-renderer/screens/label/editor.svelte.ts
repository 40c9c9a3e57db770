import type { EditResult, LabelPosition, OpenLabel } from '../../../src-main/contract/labels.ts';
import { client, sentenceOf } from '../../client/client.ts';
import { storing } from '../../state/storing.svelte.ts';
import { paintRegion, type Region } from './flood.ts';
import { gridOf, tileRect, type Grid, type Point, type Rect } from './grid.ts';
import { tileForMain, tilePlace, tilesFromMain } from './label-tiles.ts';
import { inSlices } from './slices.ts';
import { paintPolygon, paintSegment } from './paint.ts';
import { StrokeSync, type Stroke, type StrokePart, type SyncState } from './stroke-sync.ts';
import { TileStore } from './tile-store.ts';
import {
  noGesture,
  useTool,
  type Gesture,
  type ToolAction,
  type ToolEvent,
  type ToolSettings,
} from './tools.ts';

/** Tiles that stay in memory beside those on screen: 64 MB when every pixel of them differs. */
const tilesKept = 1024;
/** Main takes more, but small pieces leave it free for others. */
const tilesAtOnce = 256;

export interface EditorEvents {
  /** Pixels look different now. */
  readonly onPixels: (rect: Rect) => void;
  readonly onPick: (value: number) => void;
  readonly onFill: (at: Point, value: number) => void;
  readonly onFault: (error: unknown) => void;
}

/** The label of one image while it is open: what is painted, stored and undone. */
export class LabelEditor {
  readonly grid: Grid;
  readonly store: TileStore;
  /** What a model proposes; nothing of it is stored before it is accepted. */
  readonly proposal: TileStore;
  label: OpenLabel;
  position: LabelPosition;
  sync: SyncState = $state.raw({ type: 'stored' });
  gesture: Gesture = $state.raw(noGesture);
  readonly #sync: StrokeSync;
  readonly #events: EditorEvents;
  #stroke: Stroke | undefined;
  /** Something main changes, e.g. undo; what the hand does meanwhile waits. */
  #change: Promise<void> | undefined;
  readonly #held: (() => void)[] = [];
  /** Ends the note that something is being stored. */
  #settle: (() => void) | undefined;
  #isDisposed = false;

  constructor(label: OpenLabel, events: EditorEvents) {
    this.label = $state.raw(label);
    this.position = $state.raw(label);
    this.#events = events;
    this.grid = gridOf(label.widthPx, label.heightPx);
    const { grid } = this;
    const storeOf = (layer: 'label' | 'proposal'): TileStore =>
      new TileStore({
        grid,
        load: async (tiles) => {
          const places = tiles.map((tile) => tilePlace(grid, tile));
          const { imageId } = label;
          return tilesFromMain(grid, await client.labels.tiles({ imageId, layer, tiles: places }));
        },
        capacity: tilesKept,
        onChange: (rect) => this.#events.onPixels(rect),
        onFault: events.onFault,
      });
    this.store = storeOf('label');
    this.proposal = storeOf('proposal');
    this.#sync = new StrokeSync({
      take: () => this.store.takeChanged(),
      send: (part) => this.#send(part),
      onState: (state) => this.#takeState(state),
      sentenceOf,
    });
  }

  get hasProposal(): boolean {
    return this.label.proposal?.state === 'waiting';
  }

  /** What the hand does; waits while main changes the label. */
  use(event: ToolEvent, settings: ToolSettings): void {
    if (this.#change !== undefined) {
      this.#held.push(() => this.use(event, settings));
      return;
    }
    const { gesture, actions } = useTool(this.gesture, event, settings);
    this.gesture = gesture;
    for (const action of actions) this.#act(action, settings);
  }

  /** Paints a region that was found, as one step of undo. */
  paintRegion(region: Region, value: number): void {
    paintRegion(this.grid, region, (row, from, to) => this.store.fillSpan(row, from, to, value));
    for (const tile of region.tiles.keys()) this.#events.onPixels(tileRect(this.grid, tile));
    const stroke = { id: crypto.randomUUID(), tool: 'fill' };
    this.#sync.changed(stroke);
    void this.#sync.end(stroke);
  }

  undo(): Promise<void> {
    return this.#changeBy(() => client.labels.undo({ imageId: this.label.imageId }));
  }

  redo(): Promise<void> {
    return this.#changeBy(() => client.labels.redo({ imageId: this.label.imageId }));
  }

  fillRest(value: number): Promise<void> {
    return this.#changeBy(() => client.labels.fillRest({ imageId: this.label.imageId, value }));
  }

  async acceptProposal(): Promise<void> {
    const { imageId } = this.label;
    // A label without a gap leaves no room: the proposal then replaces it.
    const keepPainted = this.position.notLabelledPixels > 0;
    await this.#changeBy(() => client.labels.acceptProposal({ imageId, keepPainted }));
    await this.refresh();
  }

  async setState(state: 'started' | 'done'): Promise<void> {
    if (!(await this.flush())) return;
    const { imageId } = this.label;
    this.#takeLabel(await storing.during(client.labels.setState({ imageId, state })));
  }

  /** Asks main for the label again, e.g. when another window may have changed it. */
  async refresh(): Promise<void> {
    if (this.#change !== undefined || this.gesture.type !== 'none' || !this.#sync.isIdle) return;
    const label = await client.labels.open({ imageId: this.label.imageId });
    const isElsewhere = label.revision > this.position.revision;
    if (this.#isDisposed || !this.#sync.isIdle) return;
    this.#takeLabel(label);
    if (isElsewhere) await this.store.reload();
  }

  /** Stores everything. @returns false when that failed; the state says why */
  flush(): Promise<boolean> {
    return this.#sync.flush();
  }

  retry(): void {
    void this.#sync.retry();
  }

  /** Stores the rest and lets go. */
  async dispose(): Promise<void> {
    await this.flush();
    this.#isDisposed = true;
    this.#settle?.();
    this.#sync.dispose();
    this.store.dispose();
    this.proposal.dispose();
  }

  #takeState(state: SyncState): void {
    this.sync = state;
    if (state.type === 'stored') {
      this.#settle?.();
      this.#settle = undefined;
    } else if (this.#settle === undefined) {
      void storing.during(new Promise<void>((resolve) => (this.#settle = resolve)));
    }
  }

  #act(action: ToolAction, settings: ToolSettings): void {
    switch (action.type) {
      case 'paint': {
        const { segment, value } = action;
        paintSegment(this.grid, segment, (row, from, to) =>
          this.store.fillSpan(row, from, to, value),
        );
        this.#painted(settings.tool, around([segment.from, segment.to], segment.radiusPx));
        return;
      }
      case 'polygon': {
        const { corners, value } = action;
        paintPolygon(this.grid, corners, (row, from, to) =>
          this.store.fillSpan(row, from, to, value),
        );
        this.#painted(settings.tool, around(corners, 0));
        return;
      }
      case 'fill':
        return this.#events.onFill(action.at, action.value);
      case 'pick':
        return this.#events.onPick(
          this.store.valueAt(Math.floor(action.at.x), Math.floor(action.at.y)),
        );
      case 'end': {
        if (this.#stroke !== undefined) void this.#sync.end(this.#stroke);
        this.#stroke = undefined;
        return;
      }
      case 'undo':
        this.undo().catch(this.#events.onFault);
    }
  }

  #painted(tool: string, rect: Rect): void {
    this.#stroke ??= { id: crypto.randomUUID(), tool };
    this.#sync.changed(this.#stroke);
    this.#events.onPixels(rect);
  }

  async #send({ stroke, tiles, isFinal }: StrokePart): Promise<void> {
    const all = [...tiles];
    for (let at = 0; at === 0 || at < all.length; at += tilesAtOnce) {
      const some = all.slice(at, at + tilesAtOnce);
      const isLast = at + tilesAtOnce >= all.length;
      const position = await client.labels.commit({
        imageId: this.label.imageId,
        edit: {
          tool: stroke.tool,
          strokeId: stroke.id,
          isFinal: isFinal && isLast,
          tiles: await inSlices(some, ([tile, pixels]) => tileForMain(this.grid, tile, pixels)),
        },
      });
      if (isLast) this.position = position;
    }
  }

  /** Lets main change the label, after everything painted is stored. */
  async #changeBy(ask: () => Promise<EditResult>): Promise<void> {
    const before = this.#change ?? Promise.resolve();
    const change = before.then(async () => {
      if (!(await this.flush())) return;
      const result = await storing.during(ask());
      const { changed, ...position } = result;
      this.position = position;
      await this.#show(changed);
    });
    const settled = change
      .catch(() => undefined)
      .then(() => {
        if (this.#change !== settled) return;
        this.#change = undefined;
        for (const act of this.#held.splice(0)) act();
      });
    this.#change = settled;
    await settled;
    await change;
  }

  async #show(changed: EditResult['changed']): Promise<void> {
    const known = changed.flatMap(({ x, y, runs }) => (runs === undefined ? [] : [{ x, y, runs }]));
    this.store.replace(tilesFromMain(this.grid, known));
    if (known.length < changed.length) await this.store.reload();
  }

  #takeLabel(label: OpenLabel): void {
    this.label = label;
    this.position = label;
  }
}

/** The pixels a brush may have touched. */
function around(points: readonly Point[], radiusPx: number): Rect {
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  return {
    left: Math.floor(Math.min(...xs) - radiusPx) - 1,
    top: Math.floor(Math.min(...ys) - radiusPx) - 1,
    right: Math.ceil(Math.max(...xs) + radiusPx) + 1,
    bottom: Math.ceil(Math.max(...ys) + radiusPx) + 1,
  };
}
