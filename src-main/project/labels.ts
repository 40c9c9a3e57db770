import * as v from 'valibot';
import { blob, execute, json, selectAll, selectOne, type Connection } from './database.ts';
import { now } from './values.ts';

const valuePixelsSchema = v.pipe(v.record(v.string(), v.number()), v.readonly());
/** Pixels by label value; values without a pixel are absent. */
export type ValuePixels = v.InferOutput<typeof valuePixelsSchema>;

const labelSchema = v.object({
  imageId: v.string(),
  state: v.picklist(['started', 'done']),
  /** What it began from. */
  source: v.picklist(['painted', 'mask', 'proposal']),
  widthPx: v.number(),
  heightPx: v.number(),
  /** The sequence of the last edit that is applied; 0 before the first. */
  position: v.number(),
  /** Grows with every change of the tiles. */
  revision: v.number(),
  valuePixels: json(valuePixelsSchema),
  /** When a person said that it is right. */
  confirmedAt: v.nullable(v.number()),
  changedAt: v.number(),
});

/** The label of one image that is or was edited in the program. */
export type LabelRow = Readonly<v.InferOutput<typeof labelSchema>>;

const editSchema = v.object({
  id: v.number(),
  sequence: v.number(),
  kind: v.picklist(['stroke', 'fill', 'proposal']),
  tool: v.string(),
  strokeId: v.string(),
  isFinal: v.number(),
  madeBy: v.picklist(['person', 'model']),
  runId: v.nullable(v.string()),
  createdAt: v.number(),
});

/** One step of undo. */
export type LabelEdit = Readonly<v.InferOutput<typeof editSchema>>;
export type NewLabelEdit = Omit<LabelEdit, 'id' | 'createdAt'> & { readonly imageId: string };

const tileSchema = v.object({ x: v.number(), y: v.number(), runs: blob });
/** A tile that is stored; where none is, nothing is labelled. */
export type StoredTile = Readonly<v.InferOutput<typeof tileSchema>>;

const editTileSchema = v.object({
  x: v.number(),
  y: v.number(),
  /** Null: there was no tile. */
  before: v.nullable(blob),
  after: blob,
});
/** What an edit did to one tile. */
export type EditTile = Readonly<v.InferOutput<typeof editTileSchema>>;

const labelColumns = `image_id AS imageId, state, source, width_px AS widthPx,
  height_px AS heightPx, position, revision, value_pixels AS valuePixels,
  confirmed_at AS confirmedAt, changed_at AS changedAt`;
const editColumns = `id, sequence, kind, tool, stroke_id AS strokeId, is_final AS isFinal,
  made_by AS madeBy, run_id AS runId, created_at AS createdAt`;
const place = 'image_id = @imageId AND y = @y AND x = @x';

export type Labels = ReturnType<typeof createLabels>;

/** Painted labels: their state, tiles and journal. Written by datasets/label-store.ts only. */
export function createLabels(db: Connection) {
  return { ...createStates(db), ...createTiles(db), ...createEdits(db) };
}

function createStates(db: Connection) {
  const one = selectOne(
    db,
    'labels.get',
    `SELECT ${labelColumns} FROM label_images WHERE image_id = @imageId`,
    labelSchema,
  );
  const upsert = execute(
    db,
    'labels.put',
    `INSERT INTO label_images (image_id, state, source, width_px, height_px, position, revision,
       value_pixels, confirmed_at, created_at, changed_at)
     VALUES (@imageId, @state, @source, @widthPx, @heightPx, @position, @revision,
       @valuePixels, @confirmedAt, @changedAt, @changedAt)
     ON CONFLICT (image_id) DO UPDATE SET state = excluded.state, source = excluded.source,
       position = excluded.position, revision = excluded.revision,
       value_pixels = excluded.value_pixels, confirmed_at = excluded.confirmed_at,
       changed_at = excluded.changed_at`,
  );
  const ids = selectAll(
    db,
    'labels.imageIds',
    'SELECT image_id AS imageId FROM label_images',
    v.object({ imageId: v.string() }),
  );
  return {
    get: (imageId: string): LabelRow | undefined => one({ imageId }),
    /** Every image with a label that was made or changed here, done or not. */
    imageIds: (): string[] => ids().map(({ imageId }) => imageId),
    put: (row: LabelRow): void =>
      void upsert({ ...row, valuePixels: JSON.stringify(row.valuePixels), changedAt: now() }),
  };
}

function createTiles(db: Connection) {
  const one = selectOne(
    db,
    'labels.tile',
    `SELECT x, y, runs FROM label_tiles WHERE ${place}`,
    tileSchema,
  );
  const ofRow = selectAll(
    db,
    'labels.tilesOfRow',
    'SELECT x, y, runs FROM label_tiles WHERE image_id = @imageId AND y = @y ORDER BY x',
    tileSchema,
  );
  const upsert = execute(
    db,
    'labels.putTile',
    `INSERT INTO label_tiles (image_id, x, y, runs) VALUES (@imageId, @x, @y, @runs)
       ON CONFLICT (image_id, y, x) DO UPDATE SET runs = excluded.runs`,
  );
  const remove = execute(db, 'labels.removeTile', `DELETE FROM label_tiles WHERE ${place}`);
  return {
    tile: (imageId: string, x: number, y: number): Uint8Array | undefined =>
      one({ imageId, x, y })?.runs,
    /** The stored tiles of one row of tiles, from the left. */
    tilesOfRow: (imageId: string, y: number): StoredTile[] => ofRow({ imageId, y }),
    /** Null takes the tile away: nothing is labelled there. */
    putTile: (imageId: string, x: number, y: number, runs: Uint8Array | null): void =>
      void (runs === null ? remove({ imageId, x, y }) : upsert({ imageId, x, y, runs })),
  };
}

function createEdits(db: Connection) {
  const one = selectOne(
    db,
    'labels.edit',
    `SELECT ${editColumns} FROM label_edits WHERE image_id = @imageId AND sequence = @sequence`,
    editSchema,
  );
  const last = selectOne(
    db,
    'labels.lastSequence',
    'SELECT coalesce(max(sequence), 0) AS sequence FROM label_edits WHERE image_id = @imageId',
    v.object({ sequence: v.number() }),
  );
  const insert = execute(
    db,
    'labels.addEdit',
    `INSERT INTO label_edits (image_id, sequence, kind, tool, stroke_id, is_final, made_by, run_id,
       created_at)
     VALUES (@imageId, @sequence, @kind, @tool, @strokeId, @isFinal, @madeBy, @runId, @at)`,
  );
  const finish = execute(
    db,
    'labels.finishEdit',
    'UPDATE label_edits SET is_final = 1 WHERE id = @id',
  );
  const removeAfter = execute(
    db,
    'labels.removeEditsAfter',
    'DELETE FROM label_edits WHERE image_id = @imageId AND sequence > @position',
  );
  const tiles = selectAll(
    db,
    'labels.editTiles',
    `SELECT x, y, before_runs AS before, after_runs AS after FROM label_edit_tiles
       WHERE edit_id = @editId ORDER BY y, x`,
    editTileSchema,
  );
  const putTile = execute(
    db,
    'labels.putEditTile',
    `INSERT INTO label_edit_tiles (edit_id, x, y, before_runs, after_runs)
       VALUES (@editId, @x, @y, @before, @after)
       ON CONFLICT (edit_id, y, x) DO UPDATE SET after_runs = excluded.after_runs`,
  );
  return {
    edit: (imageId: string, sequence: number): LabelEdit | undefined => one({ imageId, sequence }),
    /** Of the newest edit, applied or not; 0 without one. */
    lastSequence: (imageId: string): number => last({ imageId })?.sequence ?? 0,
    addEdit: (edit: NewLabelEdit): void => void insert({ ...edit, at: now() }),
    finishEdit: (id: number): void => void finish({ id }),
    /** Drops what could be redone. */
    removeEditsAfter: (imageId: string, position: number): void =>
      void removeAfter({ imageId, position }),
    /** Row by row. */
    editTiles: (editId: number): EditTile[] => tiles({ editId }),
    /** Adds a tile to an edit; of one that is there already only the end changes. */
    putEditTile: (editId: number, tile: EditTile): void => void putTile({ editId, ...tile }),
  };
}
