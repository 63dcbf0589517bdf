-- The newest revision when the row was written, and its hash: who has read it knows an older copy of this file.
ALTER TABLE lease ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lease ADD COLUMN hash BLOB NOT NULL DEFAULT x'';

-- While nobody may act, because this file is older than what a replica has seen of it: the newest that was seen. NULL else.
ALTER TABLE lease ADD COLUMN seen_epoch INTEGER;
ALTER TABLE lease ADD COLUMN seen_sequence INTEGER;
ALTER TABLE lease ADD COLUMN seen_revision INTEGER;
ALTER TABLE lease ADD COLUMN seen_hash BLOB;
-- No later epoch, and no greater number, was given out.
ALTER TABLE lease ADD COLUMN last_epoch INTEGER;
ALTER TABLE lease ADD COLUMN last_number INTEGER;
ALTER TABLE lease ADD COLUMN is_exact INTEGER; -- 1 when who led has told, who knows; else with room for what nobody has seen
