-- The account that has yet to ask for the channel; absent once both sides can use it.
ALTER TABLE channels ADD COLUMN waits_for_account_id TEXT;
