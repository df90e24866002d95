-- What a request that its caller may repeat was answered, kept for a day; `digest` is of the name
-- the caller gave it, which opens `answer` and is nowhere.
CREATE TABLE answers (
    digest      BLOB   NOT NULL PRIMARY KEY,
    account_id  TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    body_digest BLOB   NOT NULL,
    status      BIGINT NOT NULL,
    answer      BLOB   NOT NULL,
    created_at  BIGINT NOT NULL
);
-- What is to be swept; deleting an account.
CREATE INDEX answers_by_created_at ON answers (created_at);
CREATE INDEX answers_by_account ON answers (account_id);
