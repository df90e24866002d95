-- differs: each engine has its own way to refuse a statement.

-- Where the audit log of an account stands: the number and the hash of its last entry.
CREATE TABLE audit_heads (
    account_id TEXT   NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    seq        BIGINT NOT NULL,
    hash       BYTEA  NOT NULL
);
-- Every account has one from its beginning, so that one that is gone is missed.
INSERT INTO audit_heads (account_id, seq, hash)
SELECT id, 0, decode(repeat('00', 32), 'hex') FROM accounts;
CREATE FUNCTION audit_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_heads (account_id, seq, hash)
    VALUES (NEW.id, 0, decode(repeat('00', 32), 'hex'));
    RETURN NULL;
END;
$$;
CREATE TRIGGER accounts_begin_audit AFTER INSERT ON accounts
FOR EACH ROW EXECUTE FUNCTION audit_begins();

-- Something that was done, in the log of an account. It hangs on the head, which whoever writes it
-- holds, and not on the account, which others may hold.
CREATE TABLE audit_entries (
    account_id     TEXT   NOT NULL REFERENCES audit_heads (account_id) ON DELETE CASCADE,
    seq            BIGINT NOT NULL, -- from 1 on, without gaps
    at             BIGINT NOT NULL,
    action         TEXT   NOT NULL,
    actor_kind     TEXT   NOT NULL,
    actor_id       TEXT,
    actor_agent_id TEXT,
    address        TEXT,
    request_id     TEXT,
    subject        TEXT   NOT NULL, -- JSON
    previous       BYTEA  NOT NULL,
    hash           BYTEA  NOT NULL,
    PRIMARY KEY (account_id, seq)
);

-- Entries are only added. They go with their account, which is gone by the time that they do.
CREATE FUNCTION audit_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT 1 FROM accounts WHERE accounts.id = OLD.account_id) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is only added to';
END;
$$;
CREATE TRIGGER audit_entries_change BEFORE UPDATE OR DELETE ON audit_entries
FOR EACH ROW EXECUTE FUNCTION audit_is_only_added_to();
CREATE TRIGGER audit_entries_emptied BEFORE TRUNCATE ON audit_entries
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_only_added_to();
CREATE TRIGGER audit_heads_go BEFORE DELETE ON audit_heads
FOR EACH ROW EXECUTE FUNCTION audit_is_only_added_to();
