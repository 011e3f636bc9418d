-- What Bedrock may cost for a user in a calendar month of the zone of the sums; NULL: as much as it will. The upper bound
-- also keeps out NaN, which is larger than every number.
ALTER TABLE users
    ADD COLUMN monthly_budget_usd NUMERIC,
    ADD CONSTRAINT users_monthly_budget_check CHECK (monthly_budget_usd >= 0 AND monthly_budget_usd < 1e12);
