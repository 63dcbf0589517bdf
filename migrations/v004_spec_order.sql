-- A specification that is stored already is found among those that the writer remembers, which it reads from this index,
-- in their order. An index in the order of the hashes was written at another place for each new specification.
CREATE TABLE spec_in_order (
    id   INTEGER PRIMARY KEY,
    hash BLOB    NOT NULL, -- SHA-256 of the body
    body BLOB    NOT NULL
) STRICT;

INSERT INTO spec_in_order (id, hash, body) SELECT id, hash, body FROM spec ORDER BY id;
DROP TABLE spec;
ALTER TABLE spec_in_order RENAME TO spec;

CREATE INDEX spec_hash ON spec (id, hash);
