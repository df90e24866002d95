-- A link that was mailed to whom a transfer is for; the token itself is nowhere. It opens that transfer
-- alone, for as long as it may be opened.
CREATE TABLE transfer_links (
    digest      BLOB   NOT NULL PRIMARY KEY,
    transfer_id TEXT   NOT NULL REFERENCES transfers (id) ON DELETE CASCADE,
    created_at  BIGINT NOT NULL
);
-- Forgetting those of a transfer that is over.
CREATE INDEX transfer_links_by_transfer ON transfer_links (transfer_id);
