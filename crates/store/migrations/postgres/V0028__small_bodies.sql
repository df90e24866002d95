-- The bytes of files that are so small that a blob of their own would cost more than they do: as they
-- are stored, sealed by their sender or encrypted by the server. They come with the transfer's row, and
-- go when its bytes go.
-- differs: what is encrypted does not become shorter, and PostgreSQL is not to try.
CREATE TABLE small_bodies (
    transfer_id TEXT   NOT NULL REFERENCES transfers (id) ON DELETE CASCADE,
    number      BIGINT NOT NULL,   -- that its blob would have
    bytes       BYTEA  NOT NULL,
    PRIMARY KEY (transfer_id, number)
);
ALTER TABLE small_bodies ALTER COLUMN bytes SET STORAGE EXTERNAL;
