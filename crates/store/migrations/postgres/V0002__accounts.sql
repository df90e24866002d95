-- A person or an organisation that owns agents.
CREATE TABLE accounts (
    id           TEXT   NOT NULL PRIMARY KEY,
    name         TEXT   NOT NULL,
    email        TEXT   NOT NULL,
    email_folded TEXT   NOT NULL UNIQUE, -- in lower case: one account an address
    created_at   BIGINT NOT NULL
);
