-- differs: SQLite cannot let a column be null that was not, so the table is made anew.

-- Files on their way from an agent to another, or to a person. Names and messages are in `details`,
-- encrypted. Foreign keys are off while this runs: else what hangs on the old table went with it.
CREATE TABLE new_transfers (
    id                     TEXT    NOT NULL PRIMARY KEY,
    mode                   TEXT    NOT NULL,
    sender_account_id      TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    sender_agent_id        TEXT    REFERENCES agents (id) ON DELETE CASCADE,
    sender_label           TEXT    NOT NULL,
    sender_key_id          TEXT    NOT NULL,
    recipient_account_id   TEXT    REFERENCES accounts (id) ON DELETE CASCADE,
    recipient_agent_id     TEXT    REFERENCES agents (id) ON DELETE CASCADE,
    recipient_label        TEXT    NOT NULL,
    recipient_email_folded TEXT,   -- of a person; in lower case
    sealing                TEXT,
    wrapped_key            BLOB    NOT NULL,
    details                BLOB    NOT NULL,
    files                  TEXT    NOT NULL,
    total_size             BIGINT  NOT NULL,
    auto_delete            BOOLEAN NOT NULL,
    max_downloads          BIGINT  NOT NULL,
    downloads              BIGINT  NOT NULL,
    status                 TEXT    NOT NULL,
    bytes_until            BIGINT,
    created_at             BIGINT  NOT NULL,
    expires_at             BIGINT  NOT NULL,
    deleted_at             BIGINT,
    -- An agent of an account, or whoever has an address.
    CHECK ((recipient_email_folded IS NULL) = (recipient_agent_id IS NOT NULL)),
    CHECK ((recipient_account_id IS NULL) = (recipient_agent_id IS NULL))
);
INSERT INTO new_transfers (
    id, mode, sender_account_id, sender_agent_id, sender_label, sender_key_id,
    recipient_account_id, recipient_agent_id, recipient_label, sealing, wrapped_key, details,
    files, total_size, auto_delete, max_downloads, downloads, status, bytes_until, created_at,
    expires_at, deleted_at
)
SELECT
    id, mode, sender_account_id, sender_agent_id, sender_label, sender_key_id,
    recipient_account_id, recipient_agent_id, recipient_label, sealing, wrapped_key, details,
    files, total_size, auto_delete, max_downloads, downloads, status, bytes_until, created_at,
    expires_at, deleted_at
FROM transfers;
DROP TABLE transfers;
ALTER TABLE new_transfers RENAME TO transfers;
-- What an account sent; what it was sent; what one agent was sent, or sent.
CREATE INDEX transfers_by_sender ON transfers (sender_account_id, id);
CREATE INDEX transfers_by_recipient ON transfers (recipient_account_id, id);
CREATE INDEX transfers_by_recipient_agent ON transfers (recipient_agent_id, id);
CREATE INDEX transfers_by_sender_agent ON transfers (sender_agent_id);
-- What is to be swept next.
CREATE INDEX transfers_by_bytes_until ON transfers (bytes_until) WHERE bytes_until IS NOT NULL;
-- How many bytes an account has stored.
CREATE INDEX transfers_by_stored ON transfers (sender_account_id, bytes_until, total_size)
    WHERE bytes_until IS NOT NULL;
-- What a person was sent.
CREATE INDEX transfers_by_address ON transfers (recipient_email_folded, id)
    WHERE recipient_email_folded IS NOT NULL;
