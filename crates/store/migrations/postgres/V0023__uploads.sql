-- A part of a file that came by a signed address: which of the tries to upload it is kept. A file that
-- came whole has one.
CREATE TABLE parts (
    transfer_id TEXT   NOT NULL REFERENCES transfers (id) ON DELETE CASCADE,
    file_id     TEXT   NOT NULL,
    number      BIGINT NOT NULL,
    tag         TEXT   NOT NULL,   -- names its blob, and is its ETag
    bytes       BIGINT NOT NULL,
    PRIMARY KEY (transfer_id, file_id, number)
);
-- Whether the files of a transfer were only announced so far: then it is its sender's alone. Whoever
-- does not know of this column writes transfers whose files are there.
ALTER TABLE transfers ADD COLUMN announced BOOLEAN NOT NULL DEFAULT FALSE;
