-- Why a request was served as it was, so that it can be explained without the log. Missing in rows from before.
ALTER TABLE token_usage
    ADD COLUMN fallback_reason VARCHAR(32),
    ADD COLUMN circuit         VARCHAR(16),
    ADD COLUMN bedrock_dropped VARCHAR(1000);
