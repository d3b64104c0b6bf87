-- The overlay's content is in the frozen file; the machine may not have left the overlay's name yet.
ALTER TABLE snapshot_disk ADD COLUMN merged INTEGER NOT NULL DEFAULT 0;
