-- A mail that waits to be sent; to whom, and what it says, is encrypted.
CREATE TABLE mails (
    id         TEXT   NOT NULL PRIMARY KEY,
    account_id TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE, -- who caused it
    content    BLOB   NOT NULL,
    attempts   BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at     BIGINT NOT NULL
);
-- What is to be sent next; deleting an account.
CREATE INDEX mails_by_due_at ON mails (due_at);
CREATE INDEX mails_by_account ON mails (account_id);
