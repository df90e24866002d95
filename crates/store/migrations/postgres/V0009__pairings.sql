-- That two agents of connected accounts exchange files; `a` has the lower id.
CREATE TABLE pairings (
    id                     TEXT   NOT NULL PRIMARY KEY,
    connection_id          TEXT   NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    a_agent_id             TEXT   NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    a_account_id           TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    b_agent_id             TEXT   NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    b_account_id           TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    proposed_by_account_id TEXT   NOT NULL,
    permission             TEXT   NOT NULL, -- as the proposer sees it
    terms_by_account_id    TEXT   NOT NULL,
    created_at             BIGINT NOT NULL,
    confirmed_at           BIGINT,
    revoked_at             BIGINT
);
-- Two agents have one pairing at a time.
CREATE UNIQUE INDEX pairings_between ON pairings (a_agent_id, b_agent_id) WHERE revoked_at IS NULL;
-- Listing the pairings under a connection.
CREATE INDEX pairings_by_connection ON pairings (connection_id, id);
-- Which agents an account can reach; deleting an agent.
CREATE INDEX pairings_by_a ON pairings (a_account_id, b_agent_id);
CREATE INDEX pairings_by_b ON pairings (b_account_id, a_agent_id);
CREATE INDEX pairings_by_a_agent ON pairings (a_agent_id);
CREATE INDEX pairings_by_b_agent ON pairings (b_agent_id);
