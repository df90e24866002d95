-- differs: SQLite cannot let a column be null that was not, so the table is made anew.

ALTER TABLE transfers ALTER COLUMN recipient_account_id DROP NOT NULL;
ALTER TABLE transfers ALTER COLUMN recipient_agent_id DROP NOT NULL;
-- Of a person; in lower case.
ALTER TABLE transfers ADD COLUMN recipient_email_folded TEXT;
-- An agent of an account, or whoever has an address.
ALTER TABLE transfers
    ADD CHECK ((recipient_email_folded IS NULL) = (recipient_agent_id IS NOT NULL)),
    ADD CHECK ((recipient_account_id IS NULL) = (recipient_agent_id IS NULL));
-- What a person was sent.
CREATE INDEX transfers_by_address ON transfers (recipient_email_folded, id)
    WHERE recipient_email_folded IS NOT NULL;
