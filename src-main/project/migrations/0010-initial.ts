/** Every table of the first version. Times are UTC milliseconds; JSON columns are parsed on read. */
export const initialTables = `
CREATE TABLE project (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL CHECK (json_valid(value))
) STRICT;

CREATE TABLE folders (
  id TEXT PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  added_at INTEGER NOT NULL
) STRICT;

CREATE TABLE images (
  id TEXT PRIMARY KEY,
  folder_id TEXT NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
  rel_path TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  modified_ms INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  format TEXT NOT NULL,
  width_px INTEGER NOT NULL,
  height_px INTEGER NOT NULL,
  channels INTEGER NOT NULL,
  bit_depth INTEGER NOT NULL,
  pages INTEGER NOT NULL,
  facts TEXT NOT NULL CHECK (json_valid(facts)),
  group_key TEXT,
  split TEXT CHECK (split IN ('train', 'val', 'test', 'unlabelled')),
  status TEXT NOT NULL CHECK (status IN ('usable', 'skipped', 'duplicate')),
  duplicate_of TEXT REFERENCES images (id) ON DELETE SET NULL,
  UNIQUE (folder_id, rel_path)
) STRICT;
CREATE INDEX images_rel_path ON images (rel_path);
CREATE INDEX images_sha256 ON images (sha256);
CREATE INDEX images_split ON images (split);
CREATE INDEX images_duplicate_of ON images (duplicate_of);

CREATE TABLE import_problems (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  effect TEXT NOT NULL CHECK (effect IN ('skipped', 'notice'))
) STRICT;
CREATE INDEX import_problems_code ON import_problems (code);

CREATE TABLE classes (
  class_index INTEGER PRIMARY KEY CHECK (class_index >= 0),
  name TEXT NOT NULL,
  color TEXT NOT NULL
) STRICT;

CREATE TABLE masks (
  image_id TEXT PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE,
  path TEXT NOT NULL,
  format TEXT NOT NULL CHECK (format IN ('index', 'palette', 'rgb', 'coco')),
  width_px INTEGER NOT NULL,
  height_px INTEGER NOT NULL,
  class_pixels TEXT NOT NULL CHECK (json_valid(class_pixels)),
  ignored_pixels INTEGER NOT NULL,
  details TEXT NOT NULL CHECK (json_valid(details))
) STRICT;

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('pretrain', 'finetune')),
  name TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL CHECK (status IN
    ('queued', 'running', 'paused', 'done', 'failed', 'cancelled', 'interrupted')),
  config TEXT NOT NULL CHECK (json_valid(config)),
  seed INTEGER NOT NULL,
  parent_run_id TEXT REFERENCES runs (id) ON DELETE SET NULL,
  start TEXT NOT NULL CHECK (start IN ('random', 'encoder', 'encoder+decoder', 'file')),
  device TEXT CHECK (device IS NULL OR json_valid(device)),
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  result TEXT CHECK (result IS NULL OR json_valid(result)),
  step INTEGER NOT NULL,
  total_steps INTEGER
) STRICT;
CREATE INDEX runs_parent_run_id ON runs (parent_run_id);

CREATE TABLE run_metrics (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  step INTEGER NOT NULL,
  at INTEGER NOT NULL,
  figures TEXT NOT NULL CHECK (json_valid(figures)),
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_notices (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  at INTEGER NOT NULL,
  message TEXT NOT NULL
) STRICT;
CREATE INDEX run_notices_run_id ON run_notices (run_id);

CREATE TABLE checkpoints (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('latest', 'best', 'final', 'healthy')),
  step INTEGER NOT NULL,
  file TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (run_id, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE studies (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  config TEXT NOT NULL CHECK (json_valid(config)),
  created_at INTEGER NOT NULL,
  result TEXT CHECK (result IS NULL OR json_valid(result))
) STRICT;

CREATE TABLE study_cells (
  study_id TEXT NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
  fraction REAL NOT NULL CHECK (fraction > 0 AND fraction <= 1),
  start TEXT NOT NULL CHECK (start IN ('random', 'encoder', 'encoder+decoder', 'file')),
  seed INTEGER NOT NULL,
  run_id TEXT REFERENCES runs (id) ON DELETE SET NULL,
  status TEXT NOT NULL CHECK (status IN
    ('queued', 'running', 'paused', 'done', 'failed', 'cancelled', 'interrupted')),
  scores TEXT CHECK (scores IS NULL OR json_valid(scores)),
  PRIMARY KEY (study_id, fraction, start, seed)
) STRICT, WITHOUT ROWID;
CREATE INDEX study_cells_run_id ON study_cells (run_id);

CREATE TABLE models (
  id TEXT PRIMARY KEY,
  run_id TEXT REFERENCES runs (id) ON DELETE SET NULL,
  format TEXT NOT NULL,
  file TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  facts TEXT NOT NULL CHECK (json_valid(facts))
) STRICT;
CREATE INDEX models_run_id ON models (run_id);

CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL CHECK (type IN ('pretrain', 'finetune', 'study', 'predict', 'import')),
  run_id TEXT REFERENCES runs (id) ON DELETE CASCADE,
  study_id TEXT REFERENCES studies (id) ON DELETE CASCADE,
  options TEXT NOT NULL CHECK (json_valid(options)),
  status TEXT NOT NULL CHECK (status IN
    ('queued', 'running', 'paused', 'done', 'failed', 'cancelled', 'interrupted')),
  request TEXT NOT NULL CHECK (request IN ('none', 'pause', 'stop', 'cancel')),
  pid INTEGER,
  pid_started TEXT,
  heartbeat_at INTEGER,
  progress TEXT CHECK (progress IS NULL OR json_valid(progress)),
  error TEXT CHECK (error IS NULL OR json_valid(error)),
  result TEXT CHECK (result IS NULL OR json_valid(result)),
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER
) STRICT;
CREATE INDEX jobs_run_id ON jobs (run_id);
CREATE INDEX jobs_study_id ON jobs (study_id);
CREATE INDEX jobs_status ON jobs (status);
`;
