-- In which epoch whoever asks was last heard of: a leader carries out only what was asked, or asked again, in its own.
ALTER TABLE request ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;

-- What a request waits for at the leader, for people.
ALTER TABLE request ADD COLUMN waits_for TEXT;

-- The lease's sequence when it ended: how long ago that is is counted in renewals, which no clock can set.
ALTER TABLE request ADD COLUMN ended INTEGER;
UPDATE request SET ended = (SELECT sequence FROM lease WHERE id = 1) WHERE state NOT IN (0, 5);
CREATE INDEX request_ended ON request (ended) WHERE ended IS NOT NULL;
