import * as v from 'valibot';
import { json, selectAll, selectOne, type Connection } from './database.ts';
import { splits } from './values.ts';

const split = v.nullable(v.picklist(splits));

const labelledSchema = v.object({
  id: v.string(),
  group: v.nullable(v.string()),
  split,
  classPixels: json(v.array(v.number())),
});

const listedSchema = v.object({
  imageId: v.string(),
  relPath: v.string(),
  widthPx: v.number(),
  heightPx: v.number(),
  split,
  maskFormat: v.nullable(v.string()),
  state: v.nullable(v.picklist(['started', 'done'])),
  source: v.nullable(v.picklist(['painted', 'mask', 'proposal'])),
  confirmedAt: v.nullable(v.number()),
  changedAt: v.nullable(v.number()),
  proposal: v.nullable(v.picklist(['waiting', 'accepted', 'rejected'])),
});

/** What a list of labels shows of an image. */
export type ListedLabelRow = Readonly<v.InferOutput<typeof listedSchema>>;

export type LabelListKind = 'labelled' | 'started' | 'proposals' | 'next' | 'all';

const countsSchema = v.object({
  images: v.number(),
  done: v.number(),
  started: v.number(),
  proposals: v.number(),
  train: v.number(),
  val: v.number(),
  test: v.number(),
});

const kinds: Readonly<Record<LabelListKind, { readonly where: string; readonly order: string }>> = {
  labelled: { where: 'm.image_id IS NOT NULL', order: 'l.changed_at DESC, rel_path, folder_id' },
  started: { where: `l.state = 'started'`, order: 'l.changed_at DESC' },
  proposals: { where: `p.state = 'waiting'`, order: 'p.confidence, rel_path, folder_id' },
  next: { where: 'm.image_id IS NULL', order: 's.rank IS NULL, s.rank, rel_path, folder_id' },
  all: { where: 'true', order: 'rel_path, folder_id' },
};

export type LabelLists = ReturnType<typeof createLabelLists>;

/** Lists of images by the state of their labels, and sums over them; usable images only. */
export function createLabelLists(db: Connection) {
  const from = `images i LEFT JOIN masks m ON m.image_id = i.id
    LEFT JOIN label_images l ON l.image_id = i.id
    LEFT JOIN label_proposals p ON p.image_id = i.id
    LEFT JOIN label_suggestions s ON s.image_id = i.id`;
  const where = (kind: LabelListKind) =>
    `i.status = 'usable' AND ${kinds[kind].where}
      AND (@search = '' OR instr(lower(rel_path), lower(@search)) > 0)`;
  const lists = (kind: LabelListKind) => ({
    page: selectAll(
      db,
      `labelLists.${kind}`,
      `SELECT i.id AS imageId, rel_path AS relPath, i.width_px AS widthPx,
         i.height_px AS heightPx, split, m.format AS maskFormat, l.state, l.source,
         l.confirmed_at AS confirmedAt, l.changed_at AS changedAt, p.state AS proposal
       FROM ${from} WHERE ${where(kind)} ORDER BY ${kinds[kind].order}
       LIMIT @limit OFFSET @offset`,
      listedSchema,
    ),
    count: selectOne(
      db,
      `labelLists.count ${kind}`,
      `SELECT count(*) AS count FROM ${from} WHERE ${where(kind)}`,
      v.object({ count: v.number() }),
    ),
  });
  const byKind = {
    labelled: lists('labelled'),
    started: lists('started'),
    proposals: lists('proposals'),
    next: lists('next'),
    all: lists('all'),
  };
  const labelledImages = selectAll(
    db,
    'labelLists.labelledImages',
    `SELECT i.id, group_key AS "group", split, class_pixels AS classPixels
       FROM masks JOIN images i ON i.id = image_id WHERE status = 'usable'
       ORDER BY rel_path, folder_id`,
    labelledSchema,
  );
  const groupMembers = selectAll(
    db,
    'labelLists.groupMembers',
    `SELECT id, split FROM images WHERE status = 'usable' AND group_key = @group
       ORDER BY rel_path, folder_id`,
    v.object({ id: v.string(), split }),
  );
  const counts = selectOne(
    db,
    'labelLists.counts',
    `SELECT count(*) AS images, count(m.image_id) AS done,
       (SELECT count(*) FROM label_images WHERE state = 'started') AS started,
       (SELECT count(*) FROM label_proposals WHERE state = 'waiting') AS proposals,
       count(CASE WHEN split = 'train' THEN m.image_id END) AS train,
       count(CASE WHEN split = 'val' THEN m.image_id END) AS val,
       count(CASE WHEN split = 'test' THEN m.image_id END) AS test
     FROM images i LEFT JOIN masks m ON m.image_id = i.id WHERE status = 'usable'`,
    countsSchema,
  );
  const classTotals = selectAll(
    db,
    'labelLists.classTotals',
    `SELECT key AS "index", sum(value) AS pixels, sum(value > 0) AS images
       FROM masks, json_each(class_pixels) WHERE format <> 'painted' GROUP BY key`,
    v.object({ index: v.number(), pixels: v.number(), images: v.number() }),
  );
  const valueTotals = selectAll(
    db,
    'labelLists.valueTotals',
    `SELECT CAST(key AS INTEGER) AS value, sum(value) AS pixels, count(*) AS images
       FROM label_images, json_each(value_pixels) GROUP BY key`,
    v.object({ value: v.number(), pixels: v.number(), images: v.number() }),
  );
  // Images without a group follow in the order of their ids, which is as good as by chance.
  const fewestLabels = selectOne(
    db,
    'labelLists.fewestLabelsOfGroup',
    `SELECT i.id AS imageId, i.group_key AS "group", coalesce(g.labelled, 0) AS labelled
       FROM images i LEFT JOIN masks m ON m.image_id = i.id
       LEFT JOIN (SELECT group_key, count(*) AS labelled FROM masks JOIN images ON id = image_id
         WHERE group_key IS NOT NULL GROUP BY group_key) g ON g.group_key = i.group_key
       WHERE i.status = 'usable' AND m.image_id IS NULL AND i.id <> @except
       ORDER BY labelled, i.id LIMIT 1`,
    v.object({ imageId: v.string(), group: v.nullable(v.string()), labelled: v.number() }),
  );
  const untouched = selectAll(
    db,
    'labelLists.untouchedImages',
    `SELECT i.id FROM ${from} WHERE i.status = 'usable' AND m.image_id IS NULL
       AND l.image_id IS NULL AND (p.run_id IS NULL OR p.run_id <> @runId)
       ORDER BY s.rank IS NULL, s.rank, rel_path, folder_id LIMIT @limit`,
    v.object({ id: v.string() }),
  );
  const unlabelledImages = selectAll(
    db,
    'labelLists.unlabelledImages',
    `SELECT i.id FROM images i LEFT JOIN masks m ON m.image_id = i.id
       WHERE i.status = 'usable' AND m.image_id IS NULL ORDER BY rel_path, folder_id`,
    v.object({ id: v.string() }),
  );
  return {
    page: (
      kind: LabelListKind,
      wanted: { readonly search: string; readonly offset: number; readonly limit: number },
    ): ListedLabelRow[] => byKind[kind].page({ ...wanted }),
    count: (kind: LabelListKind, search: string): number =>
      byKind[kind].count({ search })?.count ?? 0,
    /** Images with a mask, by path: what the split is drawn over. */
    labelledImages: () => labelledImages(),
    /** All usable images of a group. */
    groupMembers: (group: string) => groupMembers({ group }),
    counts: () => counts(),
    /** Usable images without a finished label, by path. */
    unlabelledImages: (): string[] => unlabelledImages().map(({ id }) => id),
    /** The next images to label that nobody has touched and that this run has not labelled yet. */
    untouchedImages: (runId: string, limit: number): string[] =>
      untouched({ runId, limit }).map(({ id }) => id),
    /** An image without label, of a group that has as few labels as any. */
    fewestLabelsOfGroup: (except: string) => fewestLabels({ except }),
    /** Pixels and images of imported masks, by class index. */
    importedTotals: () => classTotals(),
    /** Pixels and images of labels made here, by label value. */
    valueTotals: () => valueTotals(),
  };
}
