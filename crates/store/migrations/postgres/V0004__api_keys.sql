-- An API key, of an account or of one agent; the key itself is nowhere.
CREATE TABLE api_keys (
    id             TEXT   NOT NULL PRIMARY KEY,
    account_id     TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    agent_id       TEXT   REFERENCES agents (id) ON DELETE CASCADE,
    name           TEXT   NOT NULL,
    prefix         TEXT   NOT NULL,
    digest         BYTEA  NOT NULL UNIQUE, -- every request looks its key up here
    transfer_count BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    last_used_at   BIGINT,
    revoked_at     BIGINT
);
-- Listing the keys of an account or of one agent.
CREATE INDEX api_keys_by_account ON api_keys (account_id, id);
CREATE INDEX api_keys_by_agent ON api_keys (agent_id);
