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

interface PageRequest {
  readonly search: string;
  readonly offset: number;
  readonly limit: number;
}

const mask = 'LEFT JOIN masks m ON m.image_id = i.id';
const label = 'LEFT JOIN label_images l ON l.image_id = i.id';
const proposal = 'LEFT JOIN label_proposals p ON p.image_id = i.id';
const isSearched = `(@search = '' OR instr(lower(rel_path), lower(@search)) > 0)`;

/**
 * Where each list begins. CROSS JOIN keeps SQLite from walking through 100,000 images to find the
 * few that have a label.
 */
const lists = {
  labelled: {
    from: `masks m CROSS JOIN images i ON i.id = m.image_id ${label} ${proposal}`,
    where: 'true',
    order: 'l.changed_at DESC, rel_path, folder_id',
  },
  started: {
    from: `label_images l CROSS JOIN images i ON i.id = l.image_id ${mask} ${proposal}`,
    where: `l.state = 'started'`,
    order: 'l.changed_at DESC',
  },
  proposals: {
    from: `label_proposals p CROSS JOIN images i ON i.id = p.image_id ${mask} ${label}`,
    where: `p.state = 'waiting'`,
    order: 'p.confidence, rel_path, folder_id',
  },
  all: {
    from: `images i ${mask} ${label} ${proposal}`,
    where: 'true',
    order: 'rel_path, folder_id',
  },
  ranked: {
    from: `label_suggestions s CROSS JOIN images i ON i.id = s.image_id ${mask} ${label} ${proposal}`,
    where: 'm.image_id IS NULL',
    order: 's.rank',
  },
  unranked: {
    from: `images i ${mask} ${label} ${proposal}`,
    where: `m.image_id IS NULL
      AND NOT EXISTS (SELECT 1 FROM label_suggestions s WHERE s.image_id = i.id)`,
    order: 'rel_path, folder_id',
  },
} as const;

export type LabelLists = ReturnType<typeof createLabelLists>;

/** Lists of images by the state of their labels, and sums over them; usable images only. */
export function createLabelLists(db: Connection) {
  const page = (name: keyof typeof lists) => {
    const { from, where, order } = lists[name];
    return selectAll(
      db,
      `labelLists.${name}`,
      `SELECT i.id AS imageId, rel_path AS relPath, i.width_px AS widthPx,
         i.height_px AS heightPx, split, m.format AS maskFormat, l.state, l.source,
         l.confirmed_at AS confirmedAt, l.changed_at AS changedAt, p.state AS proposal
       FROM ${from}
       WHERE i.status = 'usable' AND ${where} AND ${isSearched}
       ORDER BY ${order} LIMIT @limit OFFSET @offset`,
      listedSchema,
    );
  };
  const counter = (name: Exclude<keyof typeof lists, 'ranked' | 'unranked'>) => {
    const { from, where } = lists[name];
    const sql = `SELECT count(*) AS count FROM ${from}
      WHERE i.status = 'usable' AND ${where} AND ${isSearched}`;
    const count = selectOne(db, `labelLists.count ${name}`, sql, v.object({ count: v.number() }));
    return (search: string): number => count({ search })?.count ?? 0;
  };
  const pages = {
    labelled: page('labelled'),
    started: page('started'),
    proposals: page('proposals'),
    all: page('all'),
  };
  const [ranked, unranked] = [page('ranked'), page('unranked')];
  const counts = {
    labelled: counter('labelled'),
    started: counter('started'),
    proposals: counter('proposals'),
    all: counter('all'),
  };
  const labelledImages = selectAll(
    db,
    'labelLists.labelledImages',
    `SELECT i.id, group_key AS "group", split, class_pixels AS classPixels
       FROM masks CROSS JOIN images i ON i.id = image_id WHERE status = 'usable'
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
  const splitCounts = selectAll(
    db,
    'labelLists.splits',
    `SELECT split, count(*) AS count FROM masks CROSS JOIN images i ON i.id = image_id
       WHERE status = 'usable' GROUP BY split`,
    v.object({ split, count: v.number() }),
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
    `SELECT i.id FROM images i ${mask} ${label} ${proposal}
       LEFT JOIN label_suggestions s ON s.image_id = i.id
       WHERE i.status = 'usable' AND m.image_id IS NULL
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
    /** `next`: not labelled, those of the newest ranking first. */
    page: (kind: LabelListKind, wanted: PageRequest): ListedLabelRow[] => {
      if (kind !== 'next') return pages[kind]({ ...wanted });
      const { search, offset, limit } = wanted;
      const first = ranked({ search, limit: -1, offset: 0 });
      const shown = first.slice(offset, offset + limit);
      const rest = { search, offset: Math.max(0, offset - first.length) };
      return [...shown, ...unranked({ ...rest, limit: limit - shown.length })];
    },
    count: (kind: LabelListKind, search: string): number =>
      kind === 'next' ? counts.all(search) - counts.labelled(search) : counts[kind](search),
    /** Images with a mask, by path: what the split is drawn over. */
    labelledImages: () => labelledImages(),
    /** All usable images of a group. */
    groupMembers: (group: string) => groupMembers({ group }),
    /** Labelled images by part. */
    splitCounts: (): ReadonlyMap<string | null, number> =>
      new Map(splitCounts().map((row) => [row.split, row.count])),
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
