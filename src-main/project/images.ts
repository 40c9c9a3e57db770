import { join } from 'node:path';
import * as v from 'valibot';
import { defined } from '../lib/errors.ts';
import { execute, immediately, json, selectAll, selectOne, type Connection } from './database.ts';
import { jsonObject, newId, now, splits, type Split } from './values.ts';

const imageStatuses = ['usable', 'skipped', 'duplicate'] as const;

const imageSchema = v.object({
  id: v.string(),
  folderId: v.string(),
  /** Within its folder, with `/`. */
  relPath: v.string(),
  bytes: v.number(),
  modifiedMs: v.number(),
  sha256: v.string(),
  /** As decoded: `jpeg`, `png`, `tiff`, `webp`, `gif`. */
  format: v.string(),
  /** After EXIF orientation. */
  widthPx: v.number(),
  heightPx: v.number(),
  channels: v.number(),
  bitDepth: v.number(),
  pages: v.number(),
  /** What was understood: orientation, percentiles, spacing... */
  facts: json(jsonObject),
  groupKey: v.nullable(v.string()),
  split: v.nullable(v.picklist(splits)),
  status: v.picklist(imageStatuses),
  duplicateOf: v.nullable(v.string()),
});

/** One image file that was imported. The file itself stays where it is. */
export type ImageRow = Readonly<v.InferOutput<typeof imageSchema>>;
export type ImageStatus = ImageRow['status'];

/** An image to store; an `id` may be chosen beforehand. */
export type NewImage = Omit<ImageRow, 'id'> & { readonly id?: string };

export interface ImageFilter {
  readonly split?: Split;
  readonly status?: ImageStatus;
  readonly hasMask?: boolean;
  readonly limit?: number;
  readonly offset?: number;
}

const folderSchema = v.object({ id: v.string(), path: v.string() });

/** A folder of source images, by absolute path. */
export type FolderRow = Readonly<v.InferOutput<typeof folderSchema>>;

const columns = `images.id, folder_id AS folderId, rel_path AS relPath, bytes,
  modified_ms AS modifiedMs, sha256, images.format, images.width_px AS widthPx,
  images.height_px AS heightPx, channels, bit_depth AS bitDepth, pages, facts,
  group_key AS groupKey, split, status, duplicate_of AS duplicateOf`;

const filter = `(@split IS NULL OR split = @split) AND (@status IS NULL OR status = @status)
  AND (@hasMask IS NULL OR
    @hasMask = EXISTS (SELECT 1 FROM masks WHERE masks.image_id = images.id))`;

export type Images = ReturnType<typeof createImages>;

/** Source folders and the images found in them. */
export function createImages(db: Connection) {
  const byId = selectOne(
    db,
    'images.get',
    `SELECT ${columns} FROM images WHERE id = @id`,
    imageSchema,
  );
  const byPath = selectOne(
    db,
    'images.find',
    `SELECT ${columns} FROM images WHERE folder_id = @folderId AND rel_path = @relPath`,
    imageSchema,
  );
  const byHash = selectOne(
    db,
    'images.findByHash',
    `SELECT ${columns} FROM images WHERE sha256 = @sha256 AND status = 'usable'
       ORDER BY rel_path, folder_id LIMIT 1`,
    imageSchema,
  );
  const listed = selectAll(
    db,
    'images.list',
    `SELECT ${columns} FROM images WHERE ${filter}
       ORDER BY rel_path, folder_id LIMIT @limit OFFSET @offset`,
    imageSchema,
  );
  const counted = selectOne(
    db,
    'images.count',
    `SELECT count(*) AS count FROM images WHERE ${filter}`,
    v.object({ count: v.number() }),
  );
  const upsert = execute(
    db,
    'images.upsert',
    `INSERT INTO images (id, folder_id, rel_path, bytes, modified_ms, sha256, format, width_px,
       height_px, channels, bit_depth, pages, facts, group_key, split, status, duplicate_of)
     VALUES (@id, @folderId, @relPath, @bytes, @modifiedMs, @sha256, @format, @widthPx,
       @heightPx, @channels, @bitDepth, @pages, @facts, @groupKey, @split, @status, @duplicateOf)
     ON CONFLICT (folder_id, rel_path) DO UPDATE SET bytes = excluded.bytes,
       modified_ms = excluded.modified_ms, sha256 = excluded.sha256, format = excluded.format,
       width_px = excluded.width_px, height_px = excluded.height_px, channels = excluded.channels,
       bit_depth = excluded.bit_depth, pages = excluded.pages, facts = excluded.facts,
       group_key = excluded.group_key, split = excluded.split, status = excluded.status,
       duplicate_of = excluded.duplicate_of`,
  );
  const updateSplit = execute(
    db,
    'images.setSplit',
    'UPDATE images SET split = @split WHERE id = @id',
  );
  const updateGroup = execute(
    db,
    'images.setGroup',
    'UPDATE images SET group_key = @groupKey WHERE id = @id',
  );
  const updateDuplicate = execute(
    db,
    'images.setDuplicates',
    `UPDATE images SET duplicate_of = @duplicateOf,
       status = CASE WHEN @duplicateOf IS NULL THEN 'usable' ELSE 'duplicate' END WHERE id = @id`,
  );
  const deleteImage = execute(db, 'images.remove', 'DELETE FROM images WHERE id = @id');
  const addFolder = execute(
    db,
    'folders.add',
    `INSERT INTO folders (id, path, added_at) VALUES (@id, @path, @at)
       ON CONFLICT (path) DO NOTHING`,
  );
  const deleteFolder = execute(db, 'folders.remove', 'DELETE FROM folders WHERE id = @id');
  const folderByPath = selectOne(
    db,
    'folders.find',
    'SELECT id, path FROM folders WHERE path = @path',
    folderSchema,
  );
  const folderById = selectOne(
    db,
    'folders.get',
    'SELECT id, path FROM folders WHERE id = @id',
    folderSchema,
  );
  const allFolders = selectAll(
    db,
    'folders.list',
    'SELECT id, path FROM folders ORDER BY path',
    folderSchema,
  );

  const queryOf = (wanted: ImageFilter) => ({
    split: wanted.split ?? null,
    status: wanted.status ?? null,
    hasMask: wanted.hasMask === undefined ? null : Number(wanted.hasMask),
  });

  return {
    get: (id: string): ImageRow | undefined => byId({ id }),

    find: (folderId: string, relPath: string): ImageRow | undefined =>
      byPath({ folderId, relPath }),

    /** The first usable image with these bytes. */
    findByHash: (sha256: string): ImageRow | undefined => byHash({ sha256 }),

    /** In a stable order: by path. */
    list: (wanted: ImageFilter = {}): ImageRow[] =>
      listed({ ...queryOf(wanted), limit: wanted.limit ?? -1, offset: wanted.offset ?? 0 }),

    count: (wanted: ImageFilter = {}): number => counted(queryOf(wanted))?.count ?? 0,

    /**
     * Stores images in one transaction; a path that is already there is updated and keeps its id.
     * @returns the rows as stored, in the order given
     */
    upsertMany: (images: readonly NewImage[]): ImageRow[] =>
      immediately(db, () =>
        images.map((image) => {
          const id = image.id ?? newId();
          upsert({ ...image, id, facts: JSON.stringify(image.facts) });
          return defined(byPath({ folderId: image.folderId, relPath: image.relPath }), 'image');
        }),
      ),

    /** Sets the split of each image in one transaction. */
    setSplits: (splitOf: ReadonlyMap<string, Split | null>): void =>
      immediately(db, () => {
        for (const [id, split] of splitOf) updateSplit({ id, split });
      }),

    /** Sets the group (patient, slide, scene...) of each image in one transaction. */
    setGroups: (groupOf: ReadonlyMap<string, string | null>): void =>
      immediately(db, () => {
        for (const [id, groupKey] of groupOf) updateGroup({ id, groupKey });
      }),

    /** Marks images as copies of another, or (null) as usable originals, in one transaction. */
    setDuplicates: (originalOf: ReadonlyMap<string, string | null>): void =>
      immediately(db, () => {
        for (const [id, duplicateOf] of originalOf) updateDuplicate({ id, duplicateOf });
      }),

    removeMany: (ids: readonly string[]): void =>
      immediately(db, () => {
        for (const id of ids) deleteImage({ id });
      }),

    /** The folder with this absolute path, added when new. */
    addFolder: (path: string): FolderRow => {
      addFolder({ id: newId(), path, at: now() });
      return defined(folderByPath({ path }), 'folder');
    },

    folders: (): FolderRow[] => allFolders(),

    folder: (id: string): FolderRow | undefined => folderById({ id }),

    /** Takes a folder and all of its images, with their labels, out of the project. */
    removeFolder: (id: string): void => void deleteFolder({ id }),

    /** Absolute path of an image's file. */
    pathOf: (image: Pick<ImageRow, 'folderId' | 'relPath'>): string =>
      join(defined(folderById({ id: image.folderId }), 'folder').path, image.relPath),
  };
}
