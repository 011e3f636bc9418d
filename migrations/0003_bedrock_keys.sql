-- Bedrock API keys, one per access key, encrypted by the vault with the access key's id as bound context.
-- key_hash recognises a key that is registered twice without decrypting anything.
CREATE TABLE bedrock_keys (
    access_key_id UUID        NOT NULL,
    encrypted_key BYTEA       NOT NULL,
    key_hash      VARCHAR(64) NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL DEFAULT now(),
    rotated_at    TIMESTAMPTZ,
    CONSTRAINT bedrock_keys_pkey PRIMARY KEY (access_key_id),
    CONSTRAINT bedrock_keys_access_key_id_fkey FOREIGN KEY (access_key_id) REFERENCES access_keys (id)
);
