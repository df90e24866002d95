-- differs: SQLite cannot take a reference from a table, and makes it anew.

-- Whoever claims an answer does so before anything else is held, and must not hold the account by
-- referring to it: whoever deletes the account holds it first, and what the other one needs next.
ALTER TABLE answers DROP CONSTRAINT answers_account_id_fkey;
