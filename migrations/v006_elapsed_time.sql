-- How long managers have watched over this history, in milliseconds counted by their boot-time clocks: written with each
-- renewal. What lasts is counted on this, and not on a wall clock, which anybody can set and which differs between hosts.
ALTER TABLE lease ADD COLUMN elapsed INTEGER NOT NULL DEFAULT 0;

-- What `lease.elapsed` was when the time to confirm began to count; NULL before.
ALTER TABLE confirmation ADD COLUMN since INTEGER;

-- Which revision was the newest at some moments of `lease.elapsed`. It and those before it are older than that.
CREATE TABLE age (
    elapsed  INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL
) STRICT;
