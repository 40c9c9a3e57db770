import * as v from 'valibot';
import { selectAll, selectOne, type Connection } from './database.ts';
import type { ImageStatus } from './images.ts';
import { splits, type Split } from './values.ts';

/** Which images a list holds. */
export interface ImagePageFilter {
  /** Part of the path, whatever the case. */
  readonly search?: string | undefined;
  readonly split?: Split | 'none' | undefined;
  readonly label?: 'labelled' | 'unlabelled' | undefined;
  /** Only those about which the last import had something to say. */
  readonly hasProblem?: boolean | undefined;
  readonly status?: ImageStatus | undefined;
}

export type ImageOrder = 'path' | 'largest' | 'newest';

const itemSchema = v.object({
  id: v.string(),
  relPath: v.string(),
  widthPx: v.number(),
  heightPx: v.number(),
  split: v.nullable(v.picklist(splits)),
  status: v.picklist(['usable', 'skipped', 'duplicate']),
  sha256: v.string(),
  isLabelled: v.number(),
});

/** What a grid shows of an image. */
export type ImagePageItem = Readonly<v.InferOutput<typeof itemSchema>>;

export type ImagePages = ReturnType<typeof createImagePages>;

/**
 * Long lists of images, page by page. The rows of a page are looked up only after their places are
 * known, so that a page far down costs a walk through an index instead of through the table.
 */
export function createImagePages(db: Connection) {
  const located = new Map<string, ReturnType<typeof locator>>();
  const paged = new Map<string, ReturnType<typeof pager>>();
  const counted = new Map<string, ReturnType<typeof counter>>();

  function pager(where: string, order: ImageOrder) {
    return selectAll(
      db,
      'imagePages.list',
      `SELECT images.id, rel_path AS relPath, images.width_px AS widthPx,
         images.height_px AS heightPx, split, status, sha256,
         masks.image_id IS NOT NULL AS isLabelled
       FROM images LEFT JOIN masks ON masks.image_id = images.id
       WHERE images.rowid IN (SELECT images.rowid FROM images WHERE ${where}
         ORDER BY ${orders[order]} LIMIT @limit OFFSET @offset)
       ORDER BY ${orders[order]}`,
      itemSchema,
    );
  }
  function counter(where: string) {
    const sql = `SELECT count(*) AS count FROM images WHERE ${where}`;
    return selectOne(db, 'imagePages.count', sql, v.object({ count: v.number() }));
  }
  function locator(where: string, order: ImageOrder) {
    return selectOne(
      db,
      'imagePages.locate',
      `SELECT place - 1 AS "index" FROM (SELECT images.id, row_number() OVER
         (ORDER BY ${orders[order]}) AS place FROM images WHERE ${where}) WHERE id = @imageId`,
      v.object({ index: v.number() }),
    );
  }

  return {
    list: (
      filter: ImagePageFilter,
      page: { readonly order: ImageOrder; readonly offset: number; readonly limit: number },
    ): ImagePageItem[] => {
      const { where, parameters } = conditionsOf(filter);
      const { order, offset, limit } = page;
      const select = remembered(paged, `${order} ${where}`, () => pager(where, order));
      return select({ ...parameters, offset, limit });
    },

    count: (filter: ImagePageFilter): number => {
      const { where, parameters } = conditionsOf(filter);
      return remembered(counted, where, () => counter(where))(parameters)?.count ?? 0;
    },

    /** The place of an image in a list, from 0; undefined when it is not in it. */
    locate: (filter: ImagePageFilter, order: ImageOrder, imageId: string): number | undefined => {
      const { where, parameters } = conditionsOf(filter);
      const select = remembered(located, `${order} ${where}`, () => locator(where, order));
      return select({ ...parameters, imageId })?.index;
    },
  };
}

/** Only the conditions that are asked for: SQLite then reads no column for the others. */
function conditionsOf({ search, split, label, hasProblem, status }: ImagePageFilter): {
  readonly where: string;
  readonly parameters: Readonly<Record<string, string>>;
} {
  const conditions = ['1'];
  const parameters: Record<string, string> = {};
  if (status !== undefined) {
    conditions.push('status = @status');
    parameters['status'] = status;
  }
  if (split === 'none') conditions.push('split IS NULL');
  else if (split !== undefined) {
    conditions.push('split = @split');
    parameters['split'] = split;
  }
  if (search !== undefined && search.trim() !== '') {
    conditions.push(`rel_path LIKE @search ESCAPE '\\'`);
    parameters['search'] = `%${search.trim().replaceAll(/[\\%_]/g, '\\$&')}%`;
  }
  // Few masks are looked up one by one; many images without one are passed by.
  if (label === 'labelled') conditions.push('images.id IN (SELECT image_id FROM masks)');
  if (label === 'unlabelled') {
    conditions.push('NOT EXISTS (SELECT 1 FROM masks WHERE masks.image_id = images.id)');
  }
  if (hasProblem === true) {
    conditions.push('(folder_id, rel_path) IN (SELECT folder_id, path FROM import_problems)');
  }
  return { where: conditions.join(' AND '), parameters };
}

function remembered<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

const orders: Readonly<Record<ImageOrder, string>> = {
  path: 'rel_path, folder_id',
  largest: 'images.width_px * images.height_px DESC, rel_path, folder_id',
  newest: 'modified_ms DESC, rel_path, folder_id',
};
