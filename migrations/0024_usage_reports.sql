-- Buckets that follow each other, for series without gaps. Their lengths are those of the clock and the calendar (a day of
-- 23 or 25 hours, an hour of 30 minutes), so that a bucket ends where the next one begins, and nowhere else.

-- The first instant after the bucket that an instant is in: a step beyond it, and back bucket by bucket, because a change of
-- the clock may have put a short one in between.
CREATE FUNCTION usage_bucket_end(bucket TEXT, instant TIMESTAMPTZ, zone TEXT) RETURNS TIMESTAMPTZ
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
    step   INTERVAL := CASE bucket WHEN 'minute' THEN interval '1 minute' WHEN 'hour' THEN interval '1 hour'
                                   WHEN 'day' THEN interval '25 hours' WHEN 'week' THEN interval '170 hours'
                                   ELSE interval '750 hours' END;
    start  TIMESTAMPTZ := usage_bucket_start(bucket, instant, zone);
    beyond TIMESTAMPTZ := start;
    after  TIMESTAMPTZ := start;
    before TIMESTAMPTZ;
BEGIN
    WHILE after <= start LOOP
        beyond := beyond + step;
        after := usage_bucket_start(bucket, beyond, zone);
    END LOOP;
    LOOP
        before := usage_bucket_start(bucket, after - interval '1 microsecond', zone);
        IF before <= start THEN
            RETURN after;
        END IF;
        after := before;
    END LOOP;
END
$$;

-- The starts of all buckets that have something of [since, until), in order, and not more than so many of them.
CREATE FUNCTION usage_buckets(bucket TEXT, since TIMESTAMPTZ, until TIMESTAMPTZ, zone TEXT, most INTEGER)
RETURNS SETOF TIMESTAMPTZ
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
    start TIMESTAMPTZ := usage_bucket_start(bucket, since, zone);
BEGIN
    FOR number IN 1..most LOOP
        EXIT WHEN start >= until;
        RETURN NEXT start;
        start := usage_bucket_end(bucket, start, zone);
    END LOOP;
END
$$;

-- The requests of one session, newest first.
CREATE INDEX idx_token_usage_session_timestamp ON token_usage (session_id, timestamp) WHERE session_id IS NOT NULL;
