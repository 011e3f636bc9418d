-- Who changed what, when and from where: written in the transaction of the change, and never changed. `before` and `after`
-- hold what the admin API shows of the object, and so no secret.
CREATE TABLE audit_log (
    id          BIGINT       NOT NULL GENERATED ALWAYS AS IDENTITY,
    happened_at TIMESTAMPTZ  NOT NULL DEFAULT clock_timestamp(),
    request_id  UUID         NOT NULL,
    actor       VARCHAR(255) NOT NULL,
    address     VARCHAR(45)  NOT NULL,
    action      VARCHAR(64)  NOT NULL,
    object_type VARCHAR(32)  NOT NULL,
    object_id   VARCHAR(256) NOT NULL,
    before      JSONB,
    after       JSONB,
    CONSTRAINT audit_log_pkey PRIMARY KEY (id)
);

CREATE INDEX idx_audit_log_object ON audit_log (object_type, object_id, id);

-- Tokens of administrators that were given back before their time.
CREATE TABLE revoked_tokens (
    id         UUID        NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT revoked_tokens_pkey PRIMARY KEY (id)
);

-- The list of users: newest first.
CREATE INDEX idx_users_created_at ON users (created_at DESC, id DESC) WHERE deleted_at IS NULL;
