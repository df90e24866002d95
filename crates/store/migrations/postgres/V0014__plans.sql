-- How much an account may use, by the name of its plan.
ALTER TABLE accounts ADD COLUMN plan TEXT NOT NULL DEFAULT 'enterprise';

-- How many transfers an account has created in a month of its own, whatever became of them.
CREATE TABLE usage (
    account_id  TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    cycle_start BIGINT NOT NULL,
    transfers   BIGINT NOT NULL,
    PRIMARY KEY (account_id, cycle_start)
);
-- How many bytes an account has stored.
CREATE INDEX transfers_by_stored ON transfers (sender_account_id, bytes_until, total_size)
    WHERE bytes_until IS NOT NULL;
