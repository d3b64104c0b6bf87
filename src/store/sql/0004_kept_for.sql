-- The folder of packages for whose next one the snapshot is the base; empty: it is its user's.
ALTER TABLE snapshot ADD COLUMN kept_for TEXT NOT NULL DEFAULT '';
