import * as v from 'valibot';
import { json, selectAll, type Connection } from './database.ts';
import { splits } from './values.ts';

const outlineSchema = v.object({
  id: v.string(),
  folderId: v.string(),
  relPath: v.string(),
  isUsable: v.number(),
  split: v.nullable(v.picklist(splits)),
  groupKey: v.nullable(v.string()),
  duplicateOf: v.nullable(v.string()),
  /** Pixels by class of its mask; null without one. */
  classPixels: v.nullable(json(v.array(v.number()))),
});

/** What grouping and splitting need to know of an image; never of those that were set aside. */
export type ImageOutline = Readonly<v.InferOutput<typeof outlineSchema>>;

const tallySchema = v.object({ key: v.nullable(v.string()), count: v.number() });
const classTotalSchema = v.object({
  classIndex: v.number(),
  pixels: v.number(),
  images: v.number(),
});

export type ClassTotal = Readonly<v.InferOutput<typeof classTotalSchema>>;

const rowsPerPage = 5000;

export type ImageOutlines = ReturnType<typeof createImageOutlines>;

/** Short rows of all images, and sums over them, for 100,000 images and more. */
export function createImageOutlines(db: Connection) {
  const page = selectAll(
    db,
    'imageOutlines.page',
    `SELECT images.id, folder_id AS folderId, rel_path AS relPath, status = 'usable' AS isUsable,
       split, group_key AS groupKey, duplicate_of AS duplicateOf, class_pixels AS classPixels
       FROM images LEFT JOIN masks ON image_id = images.id
       WHERE status <> 'skipped' AND (rel_path, folder_id) > (@relPath, @folderId)
       ORDER BY rel_path, folder_id LIMIT ${rowsPerPage}`,
    outlineSchema,
  );
  const splitTallies = selectAll(
    db,
    'imageOutlines.splits',
    `SELECT split AS key, count(*) AS count FROM images WHERE status = 'usable' GROUP BY split`,
    v.object({ key: v.nullable(v.picklist(splits)), count: v.number() }),
  );
  const folderTallies = selectAll(
    db,
    'imageOutlines.folders',
    // Left to itself SQLite looks up the status in every row of the table.
    `SELECT folder_id || ' ' || status AS key, count(*) AS count
       FROM images INDEXED BY images_rel_path GROUP BY folder_id, status`,
    tallySchema,
  );
  const groups = selectAll(
    db,
    'imageOutlines.groups',
    `SELECT '' AS key, count(DISTINCT group_key) AS count FROM images WHERE status = 'usable'`,
    tallySchema,
  );
  const classTotals = selectAll(
    db,
    'imageOutlines.classTotals',
    `SELECT key AS classIndex, sum(value) AS pixels, sum(value > 0) AS images
       FROM masks JOIN images ON images.id = image_id, json_each(class_pixels)
       WHERE status = 'usable' GROUP BY key ORDER BY key`,
    classTotalSchema,
  );

  const anyOfFolder = selectAll(
    db,
    'imageOutlines.anyOfFolder',
    `SELECT '' AS key, 1 AS count FROM images WHERE folder_id = @folderId LIMIT 1`,
    tallySchema,
  );

  return {
    /** All of them in pages, by path; the order in which splits are drawn. */
    *pages(): Generator<ImageOutline[]> {
      let relPath = '';
      let folderId = '';
      for (;;) {
        const rows = page({ relPath, folderId });
        yield rows;
        const last = rows.at(-1);
        if (last === undefined || rows.length < rowsPerPage) return;
        ({ relPath, folderId } = last);
      }
    },
    /** Usable images by part; null is "used for nothing". */
    splitTallies: () => splitTallies(),
    /** Images by `<folder id> <status>`. */
    folderTallies: (): ReadonlyMap<string, number> =>
      new Map(folderTallies().map(({ key, count }) => [key ?? '', count])),
    /** Whether anything, usable or not, was ever imported from a folder. */
    hasImages: (folderId: string): boolean => anyOfFolder({ folderId }).length > 0,
    groupCount: (): number => groups()[0]?.count ?? 0,
    /** Pixels, and images that have any, by class; of usable images with a mask. */
    classTotals: (): ClassTotal[] => classTotals(),
  };
}
