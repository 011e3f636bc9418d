-- The time zone in which usage_aggregates are cut into buckets: one row, so that every writer cuts alike whatever its own
-- settings say. Writers hold it FOR SHARE; whoever makes the aggregates anew in another zone changes it, and by that
-- waits for them and makes them wait. What was stored before this migration was cut in UTC.
CREATE TABLE usage_time_zone (
    only_row BOOLEAN     NOT NULL DEFAULT TRUE,
    name     VARCHAR(64) NOT NULL,
    CONSTRAINT usage_time_zone_pkey PRIMARY KEY (only_row),
    CONSTRAINT usage_time_zone_only_row_check CHECK (only_row)
);

INSERT INTO usage_time_zone (name) VALUES ('UTC');

-- The first instant of the bucket that an instant is in. date_trunc alone is not enough: where midnight comes twice
-- (Havana, the Azores) it takes the second one, which is after a part of the day, and where the clock is changed by half
-- an hour (Lord Howe) it puts an hour before the change that made it.
CREATE FUNCTION usage_bucket_start(bucket TEXT, instant TIMESTAMPTZ, zone TEXT) RETURNS TIMESTAMPTZ
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
    -- The clock on the wall at the start.
    wall    TIMESTAMP := date_trunc(bucket, instant AT TIME ZONE zone);
    start   TIMESTAMPTZ;
    earlier TIMESTAMPTZ;
    before  TIMESTAMPTZ;
BEGIN
    IF bucket IN ('minute', 'hour') THEN
        -- With the offset of the instant, so that an hour that comes twice is two hours.
        start := date_trunc(bucket, instant, zone);
        IF start AT TIME ZONE zone = wall THEN
            RETURN start;
        END IF;
        -- The clock was changed in between, and the bucket begins with the change.
        RETURN (SELECT min(minute) FROM generate_series(start, instant, interval '1 minute') AS minute
                 WHERE (minute AT TIME ZONE zone) - (minute AT TIME ZONE 'UTC')
                     = (instant AT TIME ZONE zone) - (instant AT TIME ZONE 'UTC'));
    END IF;
    start := wall AT TIME ZONE zone;
    -- The same time on the wall with the offset of the hours before: where it comes twice, that is the first one.
    before := start - interval '3 hours';
    earlier := (wall - ((before AT TIME ZONE zone) - (before AT TIME ZONE 'UTC'))) AT TIME ZONE 'UTC';
    RETURN CASE WHEN earlier AT TIME ZONE zone = wall THEN least(start, earlier) ELSE start END;
END
$$;

-- The sums of one user, or of one key, over time; the constraint's index serves those of everybody.
CREATE INDEX idx_usage_aggregates_user ON usage_aggregates (user_id, bucket_type, bucket_start);
CREATE INDEX idx_usage_aggregates_access_key ON usage_aggregates (access_key_id, bucket_type, bucket_start)
    WHERE access_key_id IS NOT NULL;
