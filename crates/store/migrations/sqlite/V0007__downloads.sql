-- One of the downloads that a transfer allows.
CREATE TABLE downloads (
    id          TEXT   NOT NULL PRIMARY KEY,
    transfer_id TEXT   NOT NULL REFERENCES transfers (id) ON DELETE CASCADE,
    account_id  TEXT   NOT NULL,
    agent_id    TEXT,
    granted_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    outcome     TEXT,
    reason      TEXT,
    ended_at    BIGINT
);
-- How the deliveries of a transfer ended.
CREATE INDEX downloads_by_transfer ON downloads (transfer_id, id);

-- A file that was sent to its end under a grant.
CREATE TABLE streamed_files (
    download_id TEXT NOT NULL REFERENCES downloads (id) ON DELETE CASCADE,
    file_id     TEXT NOT NULL,
    PRIMARY KEY (download_id, file_id)
);
