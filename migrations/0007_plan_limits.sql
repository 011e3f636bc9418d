-- Until when the plan serves nothing to a credential, by the plan's own word, so that a task learns what another was
-- told. Only a hash of the credential is kept. Rows are read by what changed since the last look.
CREATE TABLE plan_limits (
    credential_hash VARCHAR(64) NOT NULL,
    family          VARCHAR(20) NOT NULL,
    closed_until    TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT plan_limits_pkey PRIMARY KEY (credential_hash, family)
);

CREATE INDEX idx_plan_limits_updated_at ON plan_limits (updated_at);
