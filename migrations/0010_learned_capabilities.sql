-- What a model on Bedrock has refused, so that a task need not learn it again from a failed request. Each row is believed
-- until it expires; then the model is asked anew. Rows are read by what changed since the last look.
CREATE TABLE learned_capabilities (
    -- Bedrock's interface: what one of them refuses the other may take.
    dialect    VARCHAR(16)  NOT NULL,
    region     VARCHAR(32)  NOT NULL,
    model      VARCHAR(256) NOT NULL,
    kind       VARCHAR(32)  NOT NULL,
    name       VARCHAR(160) NOT NULL,
    learned_at TIMESTAMPTZ  NOT NULL DEFAULT clock_timestamp(),
    expires_at TIMESTAMPTZ  NOT NULL,
    CONSTRAINT learned_capabilities_pkey PRIMARY KEY (dialect, region, model, kind, name),
    CONSTRAINT learned_capabilities_dialect_check CHECK (dialect IN ('invoke', 'messages'))
);

CREATE INDEX idx_learned_capabilities_learned_at ON learned_capabilities (learned_at);
