-- What two agents agreed on; `a` has the lower id.
CREATE TABLE channels (
    id           TEXT   NOT NULL PRIMARY KEY,
    a_agent_id   TEXT   NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    a_account_id TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    b_agent_id   TEXT   NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    b_account_id TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at   BIGINT NOT NULL,
    revoked_at   BIGINT
);
-- Two agents have one channel at a time.
CREATE UNIQUE INDEX channels_between ON channels (a_agent_id, b_agent_id) WHERE revoked_at IS NULL;
-- Listing the channels of an account; deleting an agent.
CREATE INDEX channels_by_a ON channels (a_account_id, id);
CREATE INDEX channels_by_b ON channels (b_account_id, id);
CREATE INDEX channels_by_b_agent ON channels (b_agent_id);
