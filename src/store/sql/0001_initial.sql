-- Times are microseconds since 1970 (UTC); sizes are bytes; ids are UUIDs of 36 characters in lower case.
-- Lists carry their order in "position".

CREATE TABLE setting (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE collection (
  id      TEXT PRIMARY KEY,
  name    TEXT NOT NULL UNIQUE,
  kind    TEXT NOT NULL,
  created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE collection_machine (
  collection TEXT NOT NULL REFERENCES collection ON DELETE CASCADE,
  position   INTEGER NOT NULL,
  machine    TEXT NOT NULL,
  name       TEXT NOT NULL,
  PRIMARY KEY (collection, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE collection_collection (
  collection TEXT NOT NULL REFERENCES collection ON DELETE CASCADE,
  position   INTEGER NOT NULL,
  inner_id   TEXT NOT NULL REFERENCES collection,
  PRIMARY KEY (collection, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX collection_collection_inner ON collection_collection (inner_id);

-- No reference to the collection: a snapshot outlives it.
CREATE TABLE snapshot (
  id                TEXT PRIMARY KEY,
  name              TEXT NOT NULL,
  collection        TEXT NOT NULL,
  collection_name   TEXT NOT NULL,
  state             TEXT NOT NULL,
  instant           INTEGER NOT NULL,
  fence_deadline_ms INTEGER NOT NULL,
  fence_raised_us   INTEGER NOT NULL,
  overlap_begin     INTEGER,
  overlap_end       INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot_member (
  snapshot      TEXT NOT NULL REFERENCES snapshot ON DELETE CASCADE,
  position      INTEGER NOT NULL,
  machine       TEXT NOT NULL,
  name          TEXT NOT NULL,
  power         TEXT NOT NULL,
  configuration TEXT NOT NULL,
  stopped       INTEGER,
  resumed       INTEGER,
  has_nvram     INTEGER NOT NULL,
  has_tpm       INTEGER NOT NULL,
  PRIMARY KEY (snapshot, position),
  CHECK ((stopped IS NULL) = (resumed IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot_disk (
  snapshot      TEXT NOT NULL,
  member        INTEGER NOT NULL,
  position      INTEGER NOT NULL,
  target        TEXT NOT NULL,
  frozen_path   TEXT NOT NULL,
  frozen_format TEXT NOT NULL,
  overlay       TEXT NOT NULL,
  virtual_size  INTEGER NOT NULL,
  PRIMARY KEY (snapshot, member, position),
  FOREIGN KEY (snapshot, member) REFERENCES snapshot_member ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX snapshot_disk_frozen ON snapshot_disk (frozen_path);

CREATE TABLE snapshot_left_out (
  snapshot TEXT NOT NULL,
  member   INTEGER NOT NULL,
  position INTEGER NOT NULL,
  target   TEXT NOT NULL,
  reason   TEXT NOT NULL,
  source   TEXT NOT NULL,
  PRIMARY KEY (snapshot, member, position),
  FOREIGN KEY (snapshot, member) REFERENCES snapshot_member ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- "number" keeps the order in which jobs of the same microsecond were added.
CREATE TABLE job (
  number           INTEGER PRIMARY KEY AUTOINCREMENT,
  id               TEXT NOT NULL UNIQUE,
  type             TEXT NOT NULL,
  subject          TEXT NOT NULL,
  state            TEXT NOT NULL,
  pid              INTEGER NOT NULL,
  phase            TEXT NOT NULL,
  done_bytes       INTEGER NOT NULL,
  total_bytes      INTEGER NOT NULL,
  created          INTEGER NOT NULL,
  started          INTEGER,
  ended            INTEGER,
  error_code       TEXT,
  error_message    TEXT,
  error_cause      TEXT,
  result           TEXT NOT NULL,
  cancel_requested INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE job_error_frame (
  job      TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  frame    TEXT NOT NULL,
  PRIMARY KEY (job, position)
) STRICT, WITHOUT ROWID;

-- Numbers are never given twice: a step that somebody still holds cannot name another one.
CREATE TABLE undo_step (
  number  INTEGER PRIMARY KEY AUTOINCREMENT,
  job     TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  kind    TEXT NOT NULL,
  subject TEXT NOT NULL
) STRICT;
CREATE INDEX undo_step_job ON undo_step (job);
