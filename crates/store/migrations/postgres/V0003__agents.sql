-- A program that sends and receives files.
CREATE TABLE agents (
    id                        TEXT    NOT NULL PRIMARY KEY,
    account_id                TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    slug                      TEXT    NOT NULL,
    name                      TEXT    NOT NULL,
    description               TEXT,
    webhook_url               TEXT,
    agent_type                TEXT    NOT NULL,
    metadata                  TEXT    NOT NULL,
    available_for_connections BOOLEAN NOT NULL,
    status                    TEXT    NOT NULL,
    public_key                BYTEA,
    signing_public_key        BYTEA,
    key_version               BIGINT  NOT NULL,
    created_at                BIGINT  NOT NULL,
    last_seen_at              BIGINT,
    UNIQUE (account_id, slug)
);

-- A key that an agent has or had.
CREATE TABLE agent_keys (
    agent_id           TEXT   NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    version            BIGINT NOT NULL,
    public_key         BYTEA  NOT NULL,
    signing_public_key BYTEA,
    created_at         BIGINT NOT NULL,
    retired_at         BIGINT,
    PRIMARY KEY (agent_id, version)
);

-- The right to give an agent its first key, once.
CREATE TABLE connection_tokens (
    digest     BYTEA  NOT NULL PRIMARY KEY,
    agent_id   TEXT   NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
-- Deleting an agent.
CREATE INDEX connection_tokens_by_agent ON connection_tokens (agent_id);
