-- The key that a person is sent files under. Its private half only their password opens.
CREATE TABLE receive_passwords (
    account_id            TEXT   NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    public_key            BLOB   NOT NULL,
    encrypted_private_key TEXT   NOT NULL, -- JSON
    set_at                BIGINT NOT NULL
);
