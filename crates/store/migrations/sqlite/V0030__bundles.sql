-- What an agent says of its keys: the last bundle that it published, which the next one follows.
CREATE TABLE bundles (
    agent_id  TEXT   NOT NULL PRIMARY KEY REFERENCES agents (id) ON DELETE CASCADE,
    version   BIGINT NOT NULL,
    hash      BLOB   NOT NULL,
    identity  BLOB   NOT NULL,
    min_suite BIGINT NOT NULL,
    signed    BLOB             -- absent once the agent's keys were wiped
);

-- That an agent has another identity key from some version of its bundle on, as the old one says.
CREATE TABLE rotations (
    agent_id TEXT   NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    since    BIGINT NOT NULL,
    signed   BLOB   NOT NULL,
    PRIMARY KEY (agent_id, since)
);

-- A key of an agent for one envelope. Its row stays until it would be over, so that nobody adds it again.
CREATE TABLE prekeys (
    agent_id  TEXT   NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    key_id    BLOB   NOT NULL,
    added_at  BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    signed    BLOB,            -- absent once somebody was given it
    PRIMARY KEY (agent_id, key_id)
);
-- The next to be given to somebody.
CREATE INDEX prekeys_left ON prekeys (agent_id, added_at, key_id) WHERE signed IS NOT NULL;
-- Those that are over.
CREATE INDEX prekeys_by_end ON prekeys (not_after);

-- Of the bundle that an agent has, beside its other keys.
ALTER TABLE agents ADD COLUMN identity_key BLOB;
ALTER TABLE agents ADD COLUMN bundle_version BIGINT;

-- What the recipient signed when it said how a download ended.
ALTER TABLE downloads ADD COLUMN receipt BLOB;
