import * as v from 'valibot';
import {
  blob,
  execute,
  immediately,
  json,
  selectAll,
  selectOne,
  type Connection,
} from './database.ts';
import type { StoredTile, ValuePixels } from './labels.ts';
import { now } from './values.ts';

const proposalSchema = v.object({
  imageId: v.string(),
  /** Null when the run was deleted since. */
  runId: v.nullable(v.string()),
  modelName: v.string(),
  state: v.picklist(['waiting', 'accepted', 'rejected']),
  /** Mean probability of the chosen classes. */
  confidence: v.number(),
  valuePixels: json(v.pipe(v.record(v.string(), v.number()), v.readonly())),
  createdAt: v.number(),
});

/** What a model proposes for an image, until a person decides. */
export type ProposalRow = Readonly<v.InferOutput<typeof proposalSchema>>;

export interface NewProposal {
  readonly imageId: string;
  readonly runId: string;
  readonly modelName: string;
  readonly confidence: number;
  readonly valuePixels: ValuePixels;
  readonly tiles: readonly StoredTile[];
}

const tileSchema = v.object({ x: v.number(), y: v.number(), runs: blob });

const columns = `image_id AS imageId, run_id AS runId, model_name AS modelName, state, confidence,
  value_pixels AS valuePixels, created_at AS createdAt`;

export type LabelProposals = ReturnType<typeof createLabelProposals>;

/** Proposals of models, at most one for an image. Written by the job, decided by main. */
export function createLabelProposals(db: Connection) {
  const one = selectOne(
    db,
    'labelProposals.get',
    `SELECT ${columns} FROM label_proposals WHERE image_id = @imageId`,
    proposalSchema,
  );
  const remove = execute(
    db,
    'labelProposals.remove',
    'DELETE FROM label_proposals WHERE image_id = @imageId',
  );
  const insert = execute(
    db,
    'labelProposals.add',
    `INSERT INTO label_proposals
       (image_id, run_id, model_name, state, confidence, value_pixels, created_at)
     VALUES (@imageId, @runId, @modelName, 'waiting', @confidence, @valuePixels, @at)`,
  );
  const insertTile = execute(
    db,
    'labelProposals.addTile',
    'INSERT INTO label_proposal_tiles (image_id, x, y, runs) VALUES (@imageId, @x, @y, @runs)',
  );
  const tile = selectOne(
    db,
    'labelProposals.tile',
    'SELECT x, y, runs FROM label_proposal_tiles WHERE image_id = @imageId AND y = @y AND x = @x',
    tileSchema,
  );
  const tiles = selectAll(
    db,
    'labelProposals.tiles',
    'SELECT x, y, runs FROM label_proposal_tiles WHERE image_id = @imageId ORDER BY y, x',
    tileSchema,
  );
  const decide = execute(
    db,
    'labelProposals.decide',
    'UPDATE label_proposals SET state = @state, decided_at = @at WHERE image_id = @imageId',
  );
  const removeTiles = execute(
    db,
    'labelProposals.removeTiles',
    'DELETE FROM label_proposal_tiles WHERE image_id = @imageId',
  );
  return {
    get: (imageId: string): ProposalRow | undefined => one({ imageId }),
    /** Replaces what was proposed for the image. */
    put: ({ tiles: proposed, valuePixels, ...proposal }: NewProposal): void =>
      immediately(db, () => {
        const { imageId } = proposal;
        remove({ imageId });
        insert({ ...proposal, valuePixels: JSON.stringify(valuePixels), at: now() });
        for (const { x, y, runs } of proposed) insertTile({ imageId, x, y, runs });
      }),
    tile: (imageId: string, x: number, y: number): Uint8Array | undefined =>
      tile({ imageId, x, y })?.runs,
    tiles: (imageId: string): StoredTile[] => tiles({ imageId }),
    /** Keeps the decision and lets the pixels go. */
    decide: (imageId: string, state: 'accepted' | 'rejected'): void =>
      immediately(db, () => {
        decide({ imageId, state, at: now() });
        removeTiles({ imageId });
      }),
  };
}
