-- What was answered to requests with an Idempotency-Key, so that a request which comes again is answered again and does
-- nothing. A row is written in the transaction of what the request has made, and forgotten after a day.
CREATE TABLE idempotency_keys (
    key        VARCHAR(255) NOT NULL,
    -- HMAC-SHA256 of operation, path and body: the same key with something else in it is a mistake.
    request    VARCHAR(64)  NOT NULL,
    -- What was made, as the audit log has it, and so without any secret.
    answer     JSONB,
    -- The access key that was in the answer, sealed by the vault for the access key that was made.
    sealed_key BYTEA,
    created_at TIMESTAMPTZ  NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (key)
);

CREATE INDEX idx_idempotency_keys_created_at ON idempotency_keys (created_at);
