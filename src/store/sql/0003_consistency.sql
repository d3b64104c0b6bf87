-- What was asked for, and the longest time that freezing may take; 0 if no guest was asked to freeze.
ALTER TABLE snapshot ADD COLUMN asked TEXT NOT NULL DEFAULT 'crash';
ALTER TABLE snapshot ADD COLUMN freeze_deadline_ms INTEGER NOT NULL DEFAULT 0;
-- What each member has reached, and why not more.
ALTER TABLE snapshot_member ADD COLUMN consistency TEXT NOT NULL DEFAULT 'crash';
ALTER TABLE snapshot_member ADD COLUMN consistency_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE snapshot_member ADD COLUMN frozen_by_others INTEGER NOT NULL DEFAULT 0;
ALTER TABLE snapshot_member ADD COLUMN frozen_us INTEGER;
-- It may have been frozen for this snapshot, and is to be thawed by whoever takes the snapshot back.
ALTER TABLE snapshot_member ADD COLUMN may_be_frozen INTEGER NOT NULL DEFAULT 0;
UPDATE snapshot_member SET consistency = 'off' WHERE power = 'off';
