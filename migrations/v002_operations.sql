-- Names that people give to revisions. A tagged revision is never pruned.
CREATE TABLE tag (
    name     TEXT    PRIMARY KEY,
    revision INTEGER NOT NULL REFERENCES revision (number),
    author   INTEGER NOT NULL REFERENCES author (id),
    time     INTEGER NOT NULL -- milliseconds since 1970, UTC
) STRICT, WITHOUT ROWID;

CREATE INDEX tag_by_revision ON tag (revision);

-- Revisions that are undone unless somebody confirms them in time.
CREATE TABLE confirmation (
    revision INTEGER PRIMARY KEY REFERENCES revision (number),
    allowed  INTEGER NOT NULL, -- milliseconds
    deadline INTEGER NOT NULL, -- milliseconds since 1970, by the clock of the leader that stored it
    state    INTEGER NOT NULL  -- 0 waiting, 1 confirmed, 2 reverted
) STRICT;

CREATE INDEX confirmation_waiting ON confirmation (revision) WHERE state = 0;

-- Numbers that retention has removed, from `first` to `last`; the hash of `last` is what the next revision's covers.
CREATE TABLE gap (
    first INTEGER PRIMARY KEY,
    last  INTEGER NOT NULL UNIQUE,
    hash  BLOB    NOT NULL
) STRICT;

-- How far retention has come: one row. Below `whole`, only tagged revisions still tell the state of every group; others
-- are kept for what they themselves have set.
CREATE TABLE retention (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    whole   INTEGER NOT NULL,
    removed INTEGER NOT NULL, -- revisions, in all
    time    INTEGER NOT NULL, -- of the last removal, milliseconds since 1970; 0 before the first
    epoch   INTEGER NOT NULL,
    manager TEXT    NOT NULL
) STRICT;

INSERT INTO retention VALUES (1, 1, 0, 0, 0, '');

-- Finds the specifications that nothing refers to any more.
CREATE INDEX change_by_spec ON change (spec) WHERE spec IS NOT NULL;

-- What a command asks of the leader may be as long as a configuration, and so may be the answer.
ALTER TABLE request ADD COLUMN body BLOB;
ALTER TABLE request ADD COLUMN reply BLOB;
ALTER TABLE request ADD COLUMN confirm INTEGER; -- of a commit: within how many milliseconds somebody has to confirm it
ALTER TABLE request ADD COLUMN time INTEGER NOT NULL DEFAULT 0; -- milliseconds since 1970, by the clock of who asks
ALTER TABLE request ADD COLUMN patience INTEGER NOT NULL DEFAULT 0; -- how long the one who asks waits, in milliseconds

-- There is no state 1 any more: the revision tells how a request that was taken up has fared.
UPDATE request SET state = 2 WHERE state = 1;
