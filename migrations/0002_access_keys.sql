-- Access keys, stored as HMAC-SHA256 under the server's secret; the key itself is shown once and kept nowhere.
-- The UNIQUE constraint is the index for the look-up by hash; a second index on key_hash would only cost writes.
CREATE TABLE access_keys (
    id                  UUID         NOT NULL DEFAULT gen_random_uuid(),
    user_id             UUID         NOT NULL,
    key_hash            VARCHAR(64)  NOT NULL,
    key_prefix          VARCHAR(12)  NOT NULL,
    status              VARCHAR(20)  NOT NULL DEFAULT 'active',
    bedrock_region      VARCHAR(32)  NOT NULL DEFAULT 'ap-northeast-2',
    -- An application inference profile's ARN fits as well.
    bedrock_model       VARCHAR(256) NOT NULL,
    created_at          TIMESTAMPTZ  NOT NULL DEFAULT now(),
    revoked_at          TIMESTAMPTZ,
    rotation_expires_at TIMESTAMPTZ,
    CONSTRAINT access_keys_pkey PRIMARY KEY (id),
    CONSTRAINT access_keys_key_hash_key UNIQUE (key_hash),
    CONSTRAINT access_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT access_keys_status_check CHECK (status IN ('active', 'rotating', 'revoked'))
);

CREATE INDEX idx_access_keys_user_id ON access_keys (user_id);
