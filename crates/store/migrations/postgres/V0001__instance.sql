-- A fact about this installation, by its name.
CREATE TABLE instance (
    name  TEXT  NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);
