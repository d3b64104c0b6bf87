-- Of a standard snapshot: the machine's definition, with secrets, and the file with its memory; empty if there is none.
ALTER TABLE snapshot_member ADD COLUMN definition TEXT NOT NULL DEFAULT '';
ALTER TABLE snapshot_member ADD COLUMN memory_path TEXT NOT NULL DEFAULT '';
ALTER TABLE snapshot_member ADD COLUMN memory_bytes INTEGER NOT NULL DEFAULT 0;
-- The tree: the snapshot that was current when it was taken; the greatest arrival was taken or applied last.
ALTER TABLE snapshot ADD COLUMN parent TEXT;
ALTER TABLE snapshot ADD COLUMN arrival INTEGER NOT NULL DEFAULT 0;
UPDATE snapshot SET
  arrival = (SELECT count(*) FROM snapshot s WHERE (s.instant, s.id) <= (snapshot.instant, snapshot.id)),
  parent = (SELECT p.id FROM snapshot p
            WHERE p.collection = snapshot.collection AND (p.instant, p.id) < (snapshot.instant, snapshot.id)
            ORDER BY p.instant DESC, p.id DESC LIMIT 1);
-- The backing file of the frozen file, as far as a snapshot has frozen it.
ALTER TABLE snapshot_disk ADD COLUMN stands_on TEXT NOT NULL DEFAULT '';
UPDATE snapshot_disk SET stands_on =
  coalesce((SELECT below.frozen_path FROM snapshot_disk below WHERE below.overlay = snapshot_disk.frozen_path), '');
