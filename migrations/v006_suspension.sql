-- The newest revision when the row was written, and its hash: who has read it knows an older copy of this file.
ALTER TABLE lease ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lease ADD COLUMN hash BLOB NOT NULL DEFAULT x'';

-- While nobody may act, because this file is older than what a replica has seen of it: the newest that it has seen. NULL else.
ALTER TABLE lease ADD COLUMN seen_epoch INTEGER;
ALTER TABLE lease ADD COLUMN seen_sequence INTEGER;
ALTER TABLE lease ADD COLUMN seen_revision INTEGER;
ALTER TABLE lease ADD COLUMN seen_hash BLOB;
ALTER TABLE lease ADD COLUMN is_exact INTEGER; -- 1 when no newer revision can have been acknowledged
