/**
 * Labels painted in the program: their tiles, the journal of edits, proposals of models and
 * suggestions what to label next. Types of jobs are from here on checked by the code only, problems
 * of an import know their folder, and pages of images are found by the index alone.
 */
export const labelTables = `
CREATE TABLE jobs_20 (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL,
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
INSERT INTO jobs_20 (id, type, run_id, study_id, options, status, request, pid, pid_started,
    heartbeat_at, progress, error, result, created_at, started_at, finished_at)
  SELECT id, type, run_id, study_id, options, status, request, pid, pid_started,
    heartbeat_at, progress, error, result, created_at, started_at, finished_at
  FROM jobs ORDER BY rowid;
DROP TABLE jobs;
ALTER TABLE jobs_20 RENAME TO jobs;
CREATE INDEX jobs_run_id ON jobs (run_id);
CREATE INDEX jobs_study_id ON jobs (study_id);
CREATE INDEX jobs_status ON jobs (status);

CREATE TABLE masks_20 (
  image_id TEXT PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE,
  path TEXT NOT NULL,
  format TEXT NOT NULL CHECK (format IN ('index', 'palette', 'rgb', 'coco', 'painted')),
  width_px INTEGER NOT NULL,
  height_px INTEGER NOT NULL,
  class_pixels TEXT NOT NULL CHECK (json_valid(class_pixels)),
  ignored_pixels INTEGER NOT NULL,
  details TEXT NOT NULL CHECK (json_valid(details))
) STRICT;
INSERT INTO masks_20 (image_id, path, format, width_px, height_px, class_pixels, ignored_pixels,
    details)
  SELECT image_id, path, format, width_px, height_px, class_pixels, ignored_pixels, details
  FROM masks;
DROP TABLE masks;
ALTER TABLE masks_20 RENAME TO masks;

CREATE TABLE classes_20 (
  class_index INTEGER PRIMARY KEY CHECK (class_index >= 0),
  name TEXT NOT NULL,
  color TEXT NOT NULL,
  label_value INTEGER NOT NULL UNIQUE CHECK (label_value BETWEEN 0 AND 254),
  digit INTEGER CHECK (digit BETWEEN 1 AND 9)
) STRICT;
INSERT INTO classes_20 (class_index, name, color, label_value, digit)
  SELECT class_index, name, color, class_index,
    CASE WHEN class_index < 9 THEN class_index + 1 END
  FROM classes;
DROP TABLE classes;
ALTER TABLE classes_20 RENAME TO classes;

CREATE TABLE used_label_values (
  label_value INTEGER PRIMARY KEY
) STRICT;
INSERT INTO used_label_values SELECT label_value FROM classes;

CREATE TABLE label_images (
  image_id TEXT PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE,
  state TEXT NOT NULL CHECK (state IN ('started', 'done')),
  source TEXT NOT NULL CHECK (source IN ('painted', 'mask', 'proposal')),
  width_px INTEGER NOT NULL,
  height_px INTEGER NOT NULL,
  position INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  value_pixels TEXT NOT NULL CHECK (json_valid(value_pixels)),
  confirmed_at INTEGER,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX label_images_state ON label_images (state, changed_at);

CREATE TABLE label_tiles (
  image_id TEXT NOT NULL REFERENCES label_images (image_id) ON DELETE CASCADE,
  x INTEGER NOT NULL,
  y INTEGER NOT NULL,
  runs BLOB NOT NULL,
  PRIMARY KEY (image_id, y, x)
) STRICT;

CREATE TABLE label_edits (
  id INTEGER PRIMARY KEY,
  image_id TEXT NOT NULL REFERENCES label_images (image_id) ON DELETE CASCADE,
  sequence INTEGER NOT NULL CHECK (sequence > 0),
  kind TEXT NOT NULL CHECK (kind IN ('stroke', 'fill', 'proposal')),
  tool TEXT NOT NULL,
  stroke_id TEXT NOT NULL,
  is_final INTEGER NOT NULL CHECK (is_final IN (0, 1)),
  made_by TEXT NOT NULL CHECK (made_by IN ('person', 'model')),
  run_id TEXT REFERENCES runs (id) ON DELETE SET NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (image_id, sequence)
) STRICT;
CREATE INDEX label_edits_run_id ON label_edits (run_id);

CREATE TABLE label_edit_tiles (
  edit_id INTEGER NOT NULL REFERENCES label_edits (id) ON DELETE CASCADE,
  x INTEGER NOT NULL,
  y INTEGER NOT NULL,
  before_runs BLOB,
  after_runs BLOB NOT NULL,
  PRIMARY KEY (edit_id, y, x)
) STRICT;

CREATE TABLE label_proposals (
  image_id TEXT PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE,
  run_id TEXT REFERENCES runs (id) ON DELETE SET NULL,
  model_name TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'accepted', 'rejected')),
  confidence REAL NOT NULL,
  value_pixels TEXT NOT NULL CHECK (json_valid(value_pixels)),
  created_at INTEGER NOT NULL,
  decided_at INTEGER
) STRICT;
CREATE INDEX label_proposals_run_id ON label_proposals (run_id);
CREATE INDEX label_proposals_state ON label_proposals (state);

CREATE TABLE label_proposal_tiles (
  image_id TEXT NOT NULL REFERENCES label_proposals (image_id) ON DELETE CASCADE,
  x INTEGER NOT NULL,
  y INTEGER NOT NULL,
  runs BLOB NOT NULL,
  PRIMARY KEY (image_id, y, x)
) STRICT;

CREATE TABLE label_suggestions (
  image_id TEXT PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE,
  rank INTEGER NOT NULL,
  score REAL NOT NULL,
  strategy TEXT NOT NULL CHECK (strategy IN ('different', 'uncertain', 'spread')),
  reason TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX label_suggestions_rank ON label_suggestions (rank);

ALTER TABLE import_problems ADD COLUMN folder_id TEXT REFERENCES folders (id) ON DELETE CASCADE;
CREATE INDEX import_problems_folder_id ON import_problems (folder_id);

DROP INDEX images_rel_path;
CREATE INDEX images_rel_path ON images (rel_path, folder_id, status, split);
`;
