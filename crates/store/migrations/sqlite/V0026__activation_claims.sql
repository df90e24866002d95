-- Who activates a transfer: how often it was tried, and until when nobody else tries. Each try has
-- names of its own for what it writes.
ALTER TABLE transfers ADD COLUMN activation_tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE transfers ADD COLUMN activation_due_at BIGINT;
