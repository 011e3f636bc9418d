-- One row per request that Bedrock served, cancelled and broken ones included. The identity is the proxy's own
-- request_id, so that writing a batch twice changes nothing. No foreign keys: usage outlives users and keys, and
-- writing it must not wait for locks on them.
CREATE TABLE token_usage (
    id                          UUID         NOT NULL DEFAULT gen_random_uuid(),
    request_id                  VARCHAR(64)  NOT NULL,
    timestamp                   TIMESTAMPTZ  NOT NULL,
    user_id                     UUID         NOT NULL,
    access_key_id               UUID         NOT NULL,
    -- What the client asked for, and what really ran.
    model                       VARCHAR(256) NOT NULL,
    upstream_model              VARCHAR(256) NOT NULL,
    upstream_message_id         VARCHAR(128),
    input_tokens                INTEGER      NOT NULL,
    output_tokens               INTEGER      NOT NULL,
    cache_read_input_tokens     INTEGER,
    cache_creation_input_tokens INTEGER,
    -- Parts of cache_creation_input_tokens by time to live: 1-hour writes cost more than 5-minute ones.
    cache_creation_5m_tokens    INTEGER,
    cache_creation_1h_tokens    INTEGER,
    total_tokens                INTEGER      NOT NULL,
    provider                    VARCHAR(10)  NOT NULL DEFAULT 'bedrock',
    is_fallback                 BOOLEAN      NOT NULL DEFAULT FALSE,
    latency_ms                  INTEGER      NOT NULL,
    time_to_first_token_ms      INTEGER,
    outcome                     VARCHAR(20)  NOT NULL DEFAULT 'completed',
    session_id                  VARCHAR(128),
    agent_id                    VARCHAR(128),
    CONSTRAINT token_usage_pkey PRIMARY KEY (id),
    CONSTRAINT token_usage_request_id_key UNIQUE (request_id),
    CONSTRAINT token_usage_provider_check CHECK (provider IN ('plan', 'bedrock')),
    CONSTRAINT token_usage_outcome_check CHECK (outcome IN ('completed', 'cancelled', 'failed', 'truncated')),
    CONSTRAINT token_usage_counts_check CHECK (
        input_tokens >= 0 AND output_tokens >= 0 AND total_tokens >= 0 AND latency_ms >= 0
        AND coalesce(cache_read_input_tokens, 0) >= 0
        AND coalesce(cache_creation_input_tokens, 0) >= 0
        AND coalesce(cache_creation_5m_tokens, 0) >= 0
        AND coalesce(cache_creation_1h_tokens, 0) >= 0
        AND coalesce(time_to_first_token_ms, 0) >= 0
    )
);

CREATE INDEX idx_token_usage_timestamp ON token_usage (timestamp);
CREATE INDEX idx_token_usage_user_timestamp ON token_usage (user_id, timestamp);
CREATE INDEX idx_token_usage_access_key_timestamp ON token_usage (access_key_id, timestamp);
