-- What a request cost, with the prices that were taken, so that a bill can be checked and a later price changes no past.
-- Prices are USD per million tokens. A row without a cost was written before there was a price book.
ALTER TABLE token_usage
    ADD COLUMN cost_usd                 NUMERIC,
    ADD COLUMN input_price_usd          NUMERIC,
    ADD COLUMN output_price_usd         NUMERIC,
    ADD COLUMN cache_read_price_usd     NUMERIC,
    ADD COLUMN cache_write_5m_price_usd NUMERIC,
    ADD COLUMN cache_write_1h_price_usd NUMERIC,
    -- False: the model was not in the price book, and the dearest known price was taken in its place.
    ADD COLUMN priced                   BOOLEAN NOT NULL DEFAULT FALSE,
    -- True: the final count never came, and the output is an estimate from what was relayed.
    ADD COLUMN estimated                BOOLEAN NOT NULL DEFAULT FALSE,
    -- Tools that the provider ran itself.
    ADD COLUMN web_search_requests      INTEGER NOT NULL DEFAULT 0,
    ADD CONSTRAINT token_usage_cost_check CHECK (
        cost_usd >= 0 AND input_price_usd >= 0 AND output_price_usd >= 0 AND cache_read_price_usd >= 0
        AND cache_write_5m_price_usd >= 0 AND cache_write_1h_price_usd >= 0 AND web_search_requests >= 0
    );

ALTER TABLE usage_aggregates ADD COLUMN total_cost_usd NUMERIC NOT NULL DEFAULT 0;
