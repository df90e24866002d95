-- A transfer to an address that nobody was registered with, which counts against its day whatever
-- became of it, and of the agent that sent it.
CREATE TABLE strangers (
    transfer_id TEXT   NOT NULL PRIMARY KEY,
    account_id  TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    sent_at     BIGINT NOT NULL
);
-- Counting those of an account; forgetting those that no longer count.
CREATE INDEX strangers_by_account ON strangers (account_id, sent_at);
CREATE INDEX strangers_by_sent_at ON strangers (sent_at);
