-- What administrators see of keys, and what they sort them by.
ALTER TABLE access_keys
    -- What tells the keys of one user apart: "laptop".
    ADD COLUMN label VARCHAR(255);

-- The list of a user's keys, newest first; its first column is what the index before it was for.
CREATE INDEX idx_access_keys_user_created ON access_keys (user_id, created_at DESC, id DESC);
DROP INDEX idx_access_keys_user_id;

-- What the end of grace periods is looked up by.
CREATE INDEX idx_access_keys_rotation ON access_keys (rotation_expires_at) WHERE status = 'rotating';

ALTER TABLE bedrock_keys
    ADD COLUMN kind            VARCHAR(20) NOT NULL DEFAULT 'unknown',
    -- NULL: the key does not say.
    ADD COLUMN expires_at      TIMESTAMPTZ,
    -- When Bedrock was last asked whether it takes the key, and answered. NULL: never.
    ADD COLUMN last_checked_at TIMESTAMPTZ,
    ADD CONSTRAINT bedrock_keys_kind_check CHECK (kind IN ('short_term', 'long_term', 'unknown'));
