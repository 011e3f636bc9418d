-- What models cost on Bedrock: USD per million tokens at the list price, which is that of the global profiles. Of all
-- rows of a model and a band the newest one counts whose effective_from is not after the request; rows are added and
-- never changed, because usage is stored with the price that was taken.
CREATE TABLE model_prices (
    -- Bedrock id without geography, or the ARN of an application inference profile.
    model                    VARCHAR(256) NOT NULL,
    -- What an unknown model is compared with.
    family                   VARCHAR(16)  NOT NULL,
    effective_from           TIMESTAMPTZ  NOT NULL,
    -- The band: of the rows below the length of the whole prompt (cache included) the highest prices the whole request.
    prompt_tokens_above      INTEGER      NOT NULL DEFAULT 0,
    input_price_usd          NUMERIC      NOT NULL,
    output_price_usd         NUMERIC      NOT NULL,
    cache_read_price_usd     NUMERIC      NOT NULL,
    cache_write_5m_price_usd NUMERIC      NOT NULL,
    cache_write_1h_price_usd NUMERIC      NOT NULL,
    -- What all of these are multiplied by outside of global profiles.
    geographic_multiplier    NUMERIC      NOT NULL DEFAULT 1.10,
    -- Where the prices are known from, and as of when.
    source                   TEXT         NOT NULL,
    CONSTRAINT model_prices_pkey PRIMARY KEY (model, effective_from, prompt_tokens_above),
    CONSTRAINT model_prices_model_check CHECK (
        model ~ '^[A-Za-z0-9][A-Za-z0-9._:/-]*$' AND model !~ '^(global|us|us-gov|eu|apac|jp|au|in)\.'
    ),
    CONSTRAINT model_prices_family_check CHECK (family IN ('fable', 'opus', 'sonnet', 'haiku', 'other')),
    -- Neither infinite nor beyond what a calendar can hold.
    CONSTRAINT model_prices_effective_from_check CHECK (
        effective_from >= '2000-01-01T00:00:00Z' AND effective_from < '3000-01-01T00:00:00Z'
    ),
    CONSTRAINT model_prices_prompt_tokens_above_check CHECK (prompt_tokens_above >= 0),
    -- Bounds within which tokens times price times multiplier is exact in 28 digits; NaN is above them all.
    CONSTRAINT model_prices_prices_check CHECK (
        least(input_price_usd, output_price_usd, cache_read_price_usd, cache_write_5m_price_usd,
              cache_write_1h_price_usd) >= 0
        AND greatest(input_price_usd, output_price_usd, cache_read_price_usd, cache_write_5m_price_usd,
                     cache_write_1h_price_usd) < 10000
        AND greatest(scale(input_price_usd), scale(output_price_usd), scale(cache_read_price_usd),
                     scale(cache_write_5m_price_usd), scale(cache_write_1h_price_usd)) <= 6
    ),
    CONSTRAINT model_prices_geographic_multiplier_check CHECK (
        geographic_multiplier >= 1 AND geographic_multiplier < 10 AND scale(geographic_multiplier) <= 4
    ),
    CONSTRAINT model_prices_source_check CHECK (source <> '')
);

-- The first date is before anything that this table is asked for. The program has the same rows built in, for the time
-- before it has reached a database.
INSERT INTO model_prices (
    model, family, effective_from, prompt_tokens_above, input_price_usd, output_price_usd, cache_write_5m_price_usd,
    cache_write_1h_price_usd, cache_read_price_usd, geographic_multiplier, source)
VALUES
    ('anthropic.claude-fable-5-1', 'fable', '2024-01-01T00:00:00Z', 0,
     10, 50, 12.50, 20, 0.25, 1.10, 'copy of Anthropic''s price page, about 2026-09-29; Bedrock, 2026-09-01'),
    ('anthropic.claude-fable-5', 'fable', '2024-01-01T00:00:00Z', 0,
     10, 50, 12.50, 20, 1.00, 1.10, 'copy of Anthropic''s price page, about 2026-09-29; Bedrock, 2026-09-01'),
    ('anthropic.claude-opus-5-5', 'opus', '2024-01-01T00:00:00Z', 0,
     4, 20, 5, 8, 0.20, 1.10, 'copy of Anthropic''s price page, about 2026-09-29; released 2026-09-22'),
    ('anthropic.claude-opus-5', 'opus', '2024-01-01T00:00:00Z', 0,
     5, 25, 6.25, 10, 0.50, 1.10, 'copy of Anthropic''s price page, about 2026-09-29; Bedrock, 2026-09-01'),
    ('anthropic.claude-opus-4-8', 'opus', '2024-01-01T00:00:00Z', 0,
     5, 25, 6.25, 10, 0.50, 1.10, 'copy of Anthropic''s price page, about 2026-09-29; Bedrock, 2026-09-01'),
    ('anthropic.claude-opus-4-7', 'opus', '2024-01-01T00:00:00Z', 0,
     5, 25, 6.25, 10, 0.50, 1.10, 'copy of Anthropic''s price page, about 2026-09-29; Bedrock, 2026-09-01'),
    ('anthropic.claude-opus-4-6-v1', 'opus', '2024-01-01T00:00:00Z', 0,
     5, 25, 6.25, 10, 0.50, 1.10, 'copy of Anthropic''s price page, about 2026-09-29; Bedrock, 2026-09-01'),
    ('anthropic.claude-opus-4-5-20251101-v1:0', 'opus', '2024-01-01T00:00:00Z', 0,
     5, 25, 6.25, 10, 0.50, 1.10, 'copy of Anthropic''s price page, about 2026-09-29; Bedrock, 2026-09-01'),
    ('anthropic.claude-opus-4-1-20250805-v1:0', 'opus', '2024-01-01T00:00:00Z', 0,
     15, 75, 18.75, 30, 1.50, 1.00, 'copy of Anthropic''s price page, about 2026-09-29; Bedrock, 2026-09-01; no regional premium'),
    ('anthropic.claude-sonnet-5-5', 'sonnet', '2024-01-01T00:00:00Z', 0,
     2, 10, 2.50, 4, 0.20, 1.10, 'Bedrock, offer-5fu2rhus3byrs, before 2026-10-07'),
    ('anthropic.claude-sonnet-5-5', 'sonnet', '2026-10-07T00:00:00Z', 0,
     2, 10, 2.50, 4, 0.10, 1.10, 'Bedrock, offer-5fu2rhus3byrs, from 2026-10-07'),
    ('anthropic.claude-sonnet-5', 'sonnet', '2024-01-01T00:00:00Z', 0,
     2, 10, 2.50, 4, 0.20, 1.10, 'Anthropic''s pricing note of 2026-08-22: the rise to 3 and 15 USD was cancelled'),
    ('anthropic.claude-sonnet-4-6', 'sonnet', '2024-01-01T00:00:00Z', 0,
     3, 15, 3.75, 6, 0.30, 1.10, 'public price pages, October 2026'),
    ('anthropic.claude-sonnet-4-5-20250929-v1:0', 'sonnet', '2024-01-01T00:00:00Z', 0,
     3, 15, 3.75, 6, 0.30, 1.10, 'public price pages, October 2026'),
    ('anthropic.claude-haiku-5-5', 'haiku', '2024-01-01T00:00:00Z', 0,
     0.10, 0.50, 0.125, 0.20, 0.01, 1.10, 'Bedrock, offer-u3aih6zr7uw5u, 2026-10-07'),
    ('anthropic.claude-haiku-5-5', 'haiku', '2024-01-01T00:00:00Z', 100000,
     0.50, 2.50, 0.625, 1.00, 0.05, 1.10, 'Bedrock, offer-u3aih6zr7uw5u, 2026-10-07'),
    ('anthropic.claude-haiku-4-5-20251001-v1:0', 'haiku', '2024-01-01T00:00:00Z', 0,
     1, 5, 1.25, 2, 0.10, 1.10, 'public price pages, October 2026');
