import * as v from 'valibot';
import { selectAll, selectOne, type Connection } from './database.ts';

const sizeSchema = v.object({ widthPx: v.number(), heightPx: v.number(), count: v.number() });
const briefSchema = v.object({ id: v.string(), relPath: v.string() });

/** An image by its name alone; the facts of a hundred thousand would take a second to read. */
export type ImageBrief = Readonly<v.InferOutput<typeof briefSchema>>;

/** Images that pre-training may see: usable ones of the splits train and unlabelled. */
const allowed = `status = 'usable' AND split IN ('train', 'unlabelled')`;

export type PretrainImages = ReturnType<typeof createPretrainImages>;

export function createPretrainImages(db: Connection) {
  const sizes = selectAll(
    db,
    'pretrainImages.sizes',
    `SELECT width_px AS widthPx, height_px AS heightPx, count(*) AS count FROM images
       WHERE ${allowed} GROUP BY width_px, height_px ORDER BY width_px, height_px`,
    sizeSchema,
  );
  const counted = selectOne(
    db,
    'pretrainImages.count',
    `SELECT count(*) AS count FROM images WHERE ${allowed}`,
    v.object({ count: v.number() }),
  );
  const page = selectAll(
    db,
    'pretrainImages.page',
    `SELECT id, rel_path AS relPath FROM images WHERE ${allowed}
       ORDER BY rel_path, folder_id LIMIT @limit OFFSET @offset`,
    briefSchema,
  );
  const byBrightness = selectAll(
    db,
    'pretrainImages.byBrightness',
    `SELECT id, relPath FROM (
       SELECT id, rel_path AS relPath, row_number() OVER (
         ORDER BY json_extract(facts, '$.intensity.mean'), rel_path, folder_id) AS place
       FROM images WHERE ${allowed})
     WHERE place IN (SELECT value FROM json_each(@places)) ORDER BY place`,
    briefSchema,
  );
  const count = (): number => counted()?.count ?? 0;
  return {
    count,
    /** How many there are of each size. */
    sizes: () => sizes(),
    /** In a stable order: by path. */
    page: (offset: number, limit: number): ImageBrief[] => page({ offset, limit }),
    /** Up to `wanted` images from the darkest to the brightest, evenly spread. */
    spread: (wanted: number): ImageBrief[] => {
      const all = count();
      const places = Array.from(
        { length: Math.min(wanted, all) },
        (_, i) => Math.floor(((i + 0.5) * all) / Math.min(wanted, all)) + 1,
      );
      return byBrightness({ places: JSON.stringify(places) });
    },
  };
}
