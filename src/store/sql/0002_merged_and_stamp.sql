-- The overlay's content is in the frozen file; the machine may not have left the overlay's name yet.
ALTER TABLE snapshot_disk ADD COLUMN merged INTEGER NOT NULL DEFAULT 0;
-- The frozen file as it was last known to hold the instant; all NULL if that is not known.
ALTER TABLE snapshot_disk ADD COLUMN frozen_inode INTEGER;
ALTER TABLE snapshot_disk ADD COLUMN frozen_size INTEGER;
ALTER TABLE snapshot_disk ADD COLUMN frozen_modified_ns INTEGER;
