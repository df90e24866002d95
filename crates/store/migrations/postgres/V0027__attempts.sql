-- How often was tried what may be tried a few times, on all servers together. `name` is a keyed digest
-- of what and by whom; until `full_at` the tries so far count.
CREATE TABLE attempts (
    name    BYTEA  NOT NULL PRIMARY KEY,
    full_at BIGINT NOT NULL
);
-- What is forgotten.
CREATE INDEX attempts_by_full_at ON attempts (full_at);
