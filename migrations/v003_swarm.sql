-- In swarm mode this file is one node's copy of what a label of the swarm holds: one row then, else none.
CREATE TABLE swarm (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    cluster     TEXT    NOT NULL,
    node        TEXT    NOT NULL,
    leader      TEXT    NOT NULL, -- the host name of the node that leads the swarm, as far as this node knows
    position    INTEGER NOT NULL, -- orders what was read: never replaced by something older
    version     INTEGER NOT NULL, -- of the swarm object
    label_size  INTEGER NOT NULL, -- bytes
    label_limit INTEGER NOT NULL,
    read_at     INTEGER NOT NULL, -- milliseconds since 1970, when the Engine last told
    trouble     TEXT              -- why it does not tell now
) STRICT;

-- Why numbers are missing: 0 retention has removed them, 1 this copy has never seen them.
ALTER TABLE gap ADD COLUMN reason INTEGER NOT NULL DEFAULT 0;

-- Who asked has given up after the request was passed on: 1 asks whoever passed it on to take it back.
ALTER TABLE request ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
