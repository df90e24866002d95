-- differs: SQLite cannot take a reference from a table, and makes it anew.

-- What a request that its caller may repeat was answered, kept for a day; `digest` is of the name
-- the caller gave it, which opens `answer` and is nowhere.
CREATE TABLE new_answers (
    digest      BLOB   NOT NULL PRIMARY KEY,
    account_id  TEXT   NOT NULL,
    body_digest BLOB   NOT NULL,
    status      BIGINT NOT NULL,
    answer      BLOB   NOT NULL,
    created_at  BIGINT NOT NULL
);
INSERT INTO new_answers (digest, account_id, body_digest, status, answer, created_at)
SELECT digest, account_id, body_digest, status, answer, created_at FROM answers;
DROP TABLE answers;
ALTER TABLE new_answers RENAME TO answers;
-- What is to be swept; deleting an account.
CREATE INDEX answers_by_created_at ON answers (created_at);
CREATE INDEX answers_by_account ON answers (account_id);
