import * as v from 'valibot';
import { execute, immediately, selectOne, type Connection } from './database.ts';
import { now } from './values.ts';

export const suggestionStrategies = ['different', 'uncertain', 'spread'] as const;
export type SuggestionStrategy = (typeof suggestionStrategies)[number];

const suggestionSchema = v.object({
  imageId: v.string(),
  /** 1 is to be labelled first. */
  rank: v.number(),
  score: v.number(),
  strategy: v.picklist(suggestionStrategies),
  /** A sentence. */
  reason: v.string(),
});

/** An image that is worth a label, and why. */
export type SuggestionRow = Readonly<v.InferOutput<typeof suggestionSchema>>;

const columns = 's.image_id AS imageId, rank, score, strategy, reason';
const open = `label_suggestions s CROSS JOIN images ON images.id = s.image_id
  WHERE status = 'usable' AND NOT EXISTS (SELECT 1 FROM masks WHERE masks.image_id = images.id)`;

export type LabelSuggestions = ReturnType<typeof createLabelSuggestions>;

/** The newest ranking of images by what their labels would teach. Written by the job. */
export function createLabelSuggestions(db: Connection) {
  const one = selectOne(
    db,
    'labelSuggestions.get',
    `SELECT ${columns} FROM label_suggestions s WHERE image_id = @imageId`,
    suggestionSchema,
  );
  const first = selectOne(
    db,
    'labelSuggestions.first',
    `SELECT ${columns} FROM ${open} AND images.id <> @except
       AND (@strategy IS NULL OR strategy = @strategy) ORDER BY rank LIMIT 1`,
    suggestionSchema,
  );
  const counted = selectOne(
    db,
    'labelSuggestions.count',
    `SELECT count(*) AS count FROM ${open}`,
    v.object({ count: v.number() }),
  );
  const clear = execute(db, 'labelSuggestions.clear', 'DELETE FROM label_suggestions');
  const insert = execute(
    db,
    'labelSuggestions.add',
    `INSERT INTO label_suggestions (image_id, rank, score, strategy, reason, created_at)
       VALUES (@imageId, @rank, @score, @strategy, @reason, @at)`,
  );
  return {
    get: (imageId: string): SuggestionRow | undefined => one({ imageId }),
    /** The best image that is not labelled yet. */
    first: (
      wanted: {
        readonly except?: string | undefined;
        readonly strategy?: SuggestionStrategy | undefined;
      } = {},
    ): SuggestionRow | undefined =>
      first({ except: wanted.except ?? '', strategy: wanted.strategy ?? null }),
    /** Of images that are not labelled yet. */
    count: (): number => counted()?.count ?? 0,
    replaceAll: (rows: readonly SuggestionRow[]): void =>
      immediately(db, () => {
        clear();
        for (const row of rows) insert({ ...row, at: now() });
      }),
  };
}
