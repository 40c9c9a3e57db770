import * as v from 'valibot';
import { execute, immediately, json, selectAll, selectOne, type Connection } from './database.ts';
import { jsonObject } from './values.ts';

const maskFormats = ['index', 'palette', 'rgb', 'coco', 'painted'] as const;

const maskSchema = v.object({
  imageId: v.string(),
  /** Absolute path of the mask; within the project for drawn ones; empty for painted ones. */
  path: v.string(),
  format: v.picklist(maskFormats),
  widthPx: v.number(),
  heightPx: v.number(),
  /** Pixels of each class, by class index. */
  classPixels: json(v.array(v.number())),
  ignoredPixels: v.number(),
  /** What the format needs to find the mask again, e.g. the COCO image id. */
  details: json(jsonObject),
});

/** The label mask of one image. */
export type MaskRow = Readonly<v.InferOutput<typeof maskSchema>>;

export type Masks = ReturnType<typeof createMasks>;

const columns = `image_id AS imageId, path, masks.format, masks.width_px AS widthPx,
  masks.height_px AS heightPx, class_pixels AS classPixels, ignored_pixels AS ignoredPixels, details`;

/** Masks, at most one for an image. */
export function createMasks(db: Connection) {
  const upsert = execute(
    db,
    'masks.upsert',
    `INSERT OR REPLACE INTO masks
       (image_id, path, format, width_px, height_px, class_pixels, ignored_pixels, details)
     VALUES (@imageId, @path, @format, @widthPx, @heightPx, @classPixels, @ignoredPixels, @details)`,
  );
  const one = selectOne(
    db,
    'masks.get',
    `SELECT ${columns} FROM masks WHERE image_id = @imageId`,
    maskSchema,
  );
  const all = selectAll(
    db,
    'masks.list',
    `SELECT ${columns} FROM masks JOIN images ON images.id = image_id
       ORDER BY rel_path, folder_id`,
    maskSchema,
  );
  const binding = selectOne(
    db,
    'masks.countBinding',
    `SELECT (SELECT count(*) FROM label_images) + (
       SELECT count(*) FROM masks JOIN images ON images.id = image_id
         WHERE masks.format = 'painted' OR
           (folder_id <> @folderId AND (masks.format = 'coco' OR @withFiles = 1))
     ) AS count`,
    v.object({ count: v.number() }),
  );
  const remove = execute(db, 'masks.remove', 'DELETE FROM masks WHERE image_id = @imageId');
  const formatUsed = selectOne(
    db,
    'masks.has',
    'SELECT 1 AS found FROM masks WHERE format = @format LIMIT 1',
    v.object({ found: v.number() }),
  );
  const imported = selectOne(
    db,
    'masks.hasImported',
    `SELECT 1 AS found FROM masks WHERE format <> 'painted' LIMIT 1`,
    v.object({ found: v.number() }),
  );
  const removeClass = execute(
    db,
    'masks.removeClass',
    'UPDATE masks SET class_pixels = json_remove(class_pixels, @path)',
  );
  return {
    get: (imageId: string): MaskRow | undefined => one({ imageId }),
    has: (format: MaskRow['format']): boolean => formatUsed({ format }) !== undefined,
    /** Whether any mask came from a file. */
    hasImported: (): boolean => imported() !== undefined,
    /** By image path. */
    list: (): MaskRow[] => all(),
    upsertMany: (masks: readonly MaskRow[]): void =>
      immediately(db, () => {
        for (const mask of masks) {
          upsert({
            ...mask,
            classPixels: JSON.stringify(mask.classPixels),
            details: JSON.stringify(mask.details),
          });
        }
      }),
    /**
     * Labels that new masks of a folder must not change the meaning of: painted ones, and those of
     * other folders that hold class indices, or (`withFiles`) any.
     */
    countBinding: (folderId: string, withFiles: boolean): number =>
      binding({ folderId, withFiles: Number(withFiles) })?.count ?? 0,
    remove: (imageId: string): void => void remove({ imageId }),
    /** Takes a class without pixels out of the sums; later classes move down. */
    removeClass: (classIndex: number): void => void removeClass({ path: `$[${classIndex}]` }),
  };
}
