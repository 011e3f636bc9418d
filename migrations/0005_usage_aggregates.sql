-- Sums per bucket, per access key and (access_key_id NULL) per user, written in the statement that writes the rows.
-- NULLS NOT DISTINCT: with NULLs distinct the roll-up row of a user would never conflict and would be inserted anew
-- by every upsert. The constraint's index also serves the look-up by (bucket_type, bucket_start, user_id).
CREATE TABLE usage_aggregates (
    id                       UUID        NOT NULL DEFAULT gen_random_uuid(),
    bucket_type              VARCHAR(10) NOT NULL,
    bucket_start             TIMESTAMPTZ NOT NULL,
    user_id                  UUID        NOT NULL,
    access_key_id            UUID,
    provider                 VARCHAR(10) NOT NULL DEFAULT 'bedrock',
    total_requests           INTEGER     NOT NULL DEFAULT 0,
    total_input_tokens       BIGINT      NOT NULL DEFAULT 0,
    total_output_tokens      BIGINT      NOT NULL DEFAULT 0,
    total_cache_read_tokens  BIGINT      NOT NULL DEFAULT 0,
    total_cache_write_tokens BIGINT      NOT NULL DEFAULT 0,
    total_tokens             BIGINT      NOT NULL DEFAULT 0,
    CONSTRAINT usage_aggregates_pkey PRIMARY KEY (id),
    CONSTRAINT usage_aggregates_bucket_key
        UNIQUE NULLS NOT DISTINCT (bucket_type, bucket_start, user_id, access_key_id, provider),
    CONSTRAINT usage_aggregates_bucket_type_check CHECK (bucket_type IN ('minute', 'hour', 'day', 'week', 'month')),
    CONSTRAINT usage_aggregates_provider_check CHECK (provider IN ('plan', 'bedrock'))
);
