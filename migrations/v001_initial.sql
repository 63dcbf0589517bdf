-- Texts that many rows share: groups, plugins, managers.
CREATE TABLE name (
    id   INTEGER PRIMARY KEY,
    text TEXT    NOT NULL UNIQUE
) STRICT;

-- Who asked. An unknown user is '', an unknown uid -1: NULLs would not be unique.
CREATE TABLE author (
    id   INTEGER PRIMARY KEY,
    user TEXT    NOT NULL,
    uid  INTEGER NOT NULL,
    host TEXT    NOT NULL,
    UNIQUE (user, uid, host)
) STRICT;

-- Specifications, each once, byte for byte.
CREATE TABLE spec (
    id   INTEGER PRIMARY KEY,
    hash BLOB    NOT NULL UNIQUE, -- SHA-256 of the body
    body BLOB    NOT NULL
) STRICT;

-- The history. A row never changes.
CREATE TABLE revision (
    number    INTEGER PRIMARY KEY,
    token     BLOB    NOT NULL, -- 16 random bytes: no two revisions have one hash
    time      INTEGER NOT NULL, -- milliseconds since 1970, UTC
    epoch     INTEGER NOT NULL,
    manager   INTEGER NOT NULL REFERENCES name (id),
    author    INTEGER NOT NULL REFERENCES author (id),
    operation INTEGER NOT NULL,
    target    INTEGER,
    message   TEXT    NOT NULL,
    hash      BLOB    NOT NULL
) STRICT;

CREATE INDEX revision_by_time ON revision (time);

-- What a revision did to a group. Only the outcome (status, error) changes. The key finds a group's state at any
-- revision with one seek.
CREATE TABLE change (
    group_id INTEGER NOT NULL REFERENCES name (id),
    revision INTEGER NOT NULL REFERENCES revision (number),
    action   INTEGER NOT NULL, -- 1 set, 2 free, 3 destroy
    plugin   INTEGER REFERENCES name (id),
    spec     INTEGER REFERENCES spec (id),
    status   INTEGER NOT NULL, -- 0 pending, 1 applied, 2 rejected
    error    TEXT,
    PRIMARY KEY (group_id, revision)
) STRICT, WITHOUT ROWID;

CREATE INDEX change_by_revision ON change (revision);
CREATE INDEX change_pending ON change (revision) WHERE status = 0;

-- The lease: one row.
CREATE TABLE lease (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    holder        TEXT    NOT NULL, -- '' when released
    instance      TEXT    NOT NULL,
    epoch         INTEGER NOT NULL,
    sequence      INTEGER NOT NULL,
    ttl           INTEGER NOT NULL, -- milliseconds
    acquired_at   INTEGER NOT NULL, -- milliseconds since 1970, by the holder's clock
    renewed_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    host          TEXT    NOT NULL,
    boot_id       TEXT    NOT NULL,
    pid_namespace TEXT    NOT NULL,
    pid           INTEGER NOT NULL,
    start_time    INTEGER NOT NULL,
    socket        TEXT    NOT NULL, -- the holder's own
    plugin_socket TEXT    NOT NULL, -- of the group plugin behind it
    guard_lock    TEXT    NOT NULL
) STRICT;

INSERT INTO lease VALUES (1, '', '', 0, 0, 0, 0, 0, 0, '', '', '', 0, 0, '', '', '');

-- Every term of leadership.
CREATE TABLE leadership (
    epoch    INTEGER PRIMARY KEY,
    manager  TEXT    NOT NULL,
    from_at  INTEGER NOT NULL,
    until_at INTEGER,
    reason   TEXT
) STRICT;

-- What commands ask of the leader, from any host that has the file.
CREATE TABLE request (
    number           INTEGER PRIMARY KEY, -- in the order in which they came
    id               TEXT    NOT NULL UNIQUE,
    kind             TEXT    NOT NULL, -- rollback, step-down
    target           INTEGER,
    group_name       TEXT,
    expected_current INTEGER,
    author           INTEGER NOT NULL REFERENCES author (id),
    message          TEXT    NOT NULL,
    state            INTEGER NOT NULL, -- 0 waiting, 1 accepted, 2 done, 3 refused, 4 cancelled
    revision         INTEGER,
    error            TEXT
) STRICT;

CREATE INDEX request_waiting ON request (number) WHERE state = 0;
