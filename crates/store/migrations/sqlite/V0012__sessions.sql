-- What the owner signs in with, hashed; whether only what its sender encrypted goes from and to it.
ALTER TABLE accounts ADD COLUMN password_hash TEXT;
ALTER TABLE accounts ADD COLUMN require_encryption BOOLEAN NOT NULL DEFAULT FALSE;

-- That a person signed in; the token itself is nowhere.
CREATE TABLE sessions (
    id           TEXT   NOT NULL PRIMARY KEY,
    account_id   TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    digest       BLOB   NOT NULL UNIQUE, -- every request looks its session up here
    address      TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
-- Listing the sessions of an account; forgetting those that have expired.
CREATE INDEX sessions_by_account ON sessions (account_id, id);
CREATE INDEX sessions_by_expires_at ON sessions (expires_at);

-- What a mailed link does, once; the token itself is nowhere. A newer one takes its place.
CREATE TABLE mailed_links (
    digest     BLOB   NOT NULL PRIMARY KEY,
    purpose    TEXT   NOT NULL,
    account_id TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL,
    UNIQUE (account_id, purpose)
);
-- Forgetting those that have expired.
CREATE INDEX mailed_links_by_expires_at ON mailed_links (expires_at);
