-- That two accounts deal with each other, or that one invited the other.
CREATE TABLE connections (
    id                 TEXT   NOT NULL PRIMARY KEY,
    inviter_account_id TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    invitee_account_id TEXT   REFERENCES accounts (id) ON DELETE CASCADE,
    email              TEXT   NOT NULL,
    email_folded       TEXT   NOT NULL,
    pair               TEXT   NOT NULL, -- both sides, in one order whoever asks
    message            TEXT,
    created_at         BIGINT NOT NULL,
    accepted_at        BIGINT,
    revoked_at         BIGINT
);
-- Two accounts have one connection, or one invitation, at a time.
CREATE UNIQUE INDEX connections_pair ON connections (pair) WHERE revoked_at IS NULL;
-- Listing the connections of an account, and the invitations that wait for its address.
CREATE INDEX connections_by_inviter ON connections (inviter_account_id, id);
CREATE INDEX connections_by_invitee ON connections (invitee_account_id, id);
CREATE INDEX connections_by_email ON connections (email_folded) WHERE invitee_account_id IS NULL;

-- An invitation that was sent, which counts against its hour whatever became of it.
CREATE TABLE invites (
    connection_id TEXT   NOT NULL PRIMARY KEY,
    account_id    TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    sent_at       BIGINT NOT NULL
);
-- Counting those of an account.
CREATE INDEX invites_by_account ON invites (account_id, sent_at);

-- That an account wants nothing to do with another.
CREATE TABLE blocks (
    id                 TEXT   NOT NULL PRIMARY KEY,
    blocker_account_id TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    blocked_account_id TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at         BIGINT NOT NULL,
    UNIQUE (blocker_account_id, blocked_account_id)
);
-- Deleting an account.
CREATE INDEX blocks_by_blocked ON blocks (blocked_account_id);
