-- Files on their way from one agent to another. Names and messages are in `details`, encrypted.
CREATE TABLE transfers (
    id                   TEXT    NOT NULL PRIMARY KEY,
    mode                 TEXT    NOT NULL,
    sender_account_id    TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    sender_agent_id      TEXT    REFERENCES agents (id) ON DELETE CASCADE,
    sender_label         TEXT    NOT NULL,
    sender_key_id        TEXT    NOT NULL,
    recipient_account_id TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    recipient_agent_id   TEXT    NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    recipient_label      TEXT    NOT NULL,
    sealing              TEXT,
    wrapped_key          BYTEA   NOT NULL,
    details              BYTEA   NOT NULL,
    files                TEXT    NOT NULL,
    total_size           BIGINT  NOT NULL,
    auto_delete          BOOLEAN NOT NULL,
    max_downloads        BIGINT  NOT NULL,
    downloads            BIGINT  NOT NULL,
    status               TEXT    NOT NULL,
    bytes_until          BIGINT,
    created_at           BIGINT  NOT NULL,
    expires_at           BIGINT  NOT NULL,
    deleted_at           BIGINT
);
-- What an account sent; what it was sent; what one agent was sent, or sent.
CREATE INDEX transfers_by_sender ON transfers (sender_account_id, id);
CREATE INDEX transfers_by_recipient ON transfers (recipient_account_id, id);
CREATE INDEX transfers_by_recipient_agent ON transfers (recipient_agent_id, id);
CREATE INDEX transfers_by_sender_agent ON transfers (sender_agent_id);
-- What is to be swept next.
CREATE INDEX transfers_by_bytes_until ON transfers (bytes_until) WHERE bytes_until IS NOT NULL;
