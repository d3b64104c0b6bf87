-- What a snapshot is, and the identity of a reference point; the nil UUID if it is none.
ALTER TABLE snapshot ADD COLUMN kind TEXT NOT NULL DEFAULT 'recovery';
ALTER TABLE snapshot ADD COLUMN reference_point TEXT NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
-- The virtual disk, and what tells its changes since a reference point; the nil UUID where there is none.
ALTER TABLE snapshot_disk ADD COLUMN disk_id TEXT NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
ALTER TABLE snapshot_disk ADD COLUMN tracking_id TEXT NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
