-- Since when it counts as known that the address is its owner's.
ALTER TABLE accounts ADD COLUMN email_verified_at BIGINT;
