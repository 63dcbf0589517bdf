-- Rejected revisions that somebody has acknowledged: nobody is warned of them any more.
CREATE TABLE acknowledgement (
    revision INTEGER PRIMARY KEY REFERENCES revision (number),
    author   INTEGER NOT NULL REFERENCES author (id),
    time     INTEGER NOT NULL, -- milliseconds since 1970, UTC
    message  TEXT    NOT NULL
) STRICT;

-- confirmation.state 4, rejected: the plugin refused all of the revision, so there is nothing to confirm.
UPDATE confirmation SET state = 4
WHERE state = 0 AND NOT EXISTS (SELECT 1 FROM change c WHERE c.revision = confirmation.revision AND c.status <> 2);
