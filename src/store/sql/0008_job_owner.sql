-- Who asked for a job, and what it is about; of older ones nobody knows.
ALTER TABLE job ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN collection TEXT;
ALTER TABLE job ADD COLUMN point TEXT NOT NULL DEFAULT '';
