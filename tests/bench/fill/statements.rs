//! What the database is filled with. `$users`, `$keys`, `$rows` and the like are replaced by numbers.

/// Kinds of sums.
pub(super) const BUCKETS: [&str; 5] = ["month", "week", "day", "hour", "minute"];

/// Users and keys, with ids that are hashes, so that a number always has the same user. They came one after the other, two
/// years long; some were deactivated, and some keys revoked.
pub(super) const PEOPLE: &str = "
    INSERT INTO users (id, name, description, status, monthly_budget_usd, created_at)
    SELECT md5('user ' || n)::uuid, 'developer ' || n, 'team ' || n % 400,
           CASE WHEN n % 50 = 0 THEN 'inactive' ELSE 'active' END, CASE WHEN n % 2 = 0 THEN 50 + n % 400 END,
           now() - interval '2 years' + n * (interval '2 years' / $users)
      FROM generate_series(0, $users - 1) AS n;
    INSERT INTO access_keys (id, user_id, key_hash, key_prefix, label, status, revoked_at, bedrock_model, created_at)
    SELECT md5('key ' || n || ' ' || k)::uuid, md5('user ' || n)::uuid, md5('hash ' || n) || md5('hash ' || k), 'ak_bench',
           'machine ' || k, CASE WHEN (n + k) % 20 = 0 THEN 'revoked' ELSE 'active' END,
           CASE WHEN (n + k) % 20 = 0 THEN now() END, 'global.anthropic.claude-opus-5-5', u.created_at + k * interval '1 day'
      FROM generate_series(0, $users - 1) AS n JOIN users u ON u.id = md5('user ' || n)::uuid,
           generate_series(0, $keys - 1) AS k";

/// A Bedrock key for each access key in use; limits of the plan for one login of twenty; what models have refused; a line in
/// the audit log for each user and each key that was made or given a Bedrock key.
pub(super) const KEPT: &str = "
    INSERT INTO bedrock_keys (access_key_id, encrypted_key, key_hash, kind, expires_at)
    SELECT id, decode(repeat(md5(id::text), 12), 'hex'), md5(id::text) || md5(id::text), 'long_term', now() + interval '1 year'
      FROM access_keys WHERE status = 'active';
    INSERT INTO plan_limits (credential_hash, family, closed_until)
    SELECT md5('login ' || n) || md5('login ' || n), 'opus', now() + interval '7 days'
      FROM generate_series(0, $users - 1, 20) AS n;
    INSERT INTO learned_capabilities (dialect, region, model, kind, name, expires_at)
    SELECT 'invoke', 'us-east-1', 'global.anthropic.claude-opus-5-' || n % 8, 'beta', 'feature-' || n, now() + interval '30 days'
      FROM generate_series(0, 255) AS n;
    INSERT INTO audit_log (happened_at, request_id, actor, address, action, object_type, object_id, after)
    SELECT happened_at, gen_random_uuid(), 'admin ' || (hashtext(id::text) & 3), '192.0.2.1', action, object_type, id, after
      FROM (SELECT created_at AS happened_at, id, 'user.create' AS action, 'user' AS object_type, to_jsonb(u) AS after
              FROM users u
            UNION ALL
            SELECT created_at, id, action, 'access_key', to_jsonb(k)
              FROM access_keys k, unnest(ARRAY['access_key.create', 'bedrock_key.put']) AS action) AS deeds
     ORDER BY happened_at";

/// Ten requests of a session, 45 seconds apart, and the next session of somebody else. Two of three sessions were served by
/// Bedrock; one request of a thousand has failed. Ids rise with the time, as those of the service do.
pub(super) const ROWS: &str = "
    WITH session AS (
        SELECT n, n / 10 AS number, mod(hashint4(n / 10)::bigint + 2147483648, $users) AS person,
               mod(hashint4(n / 10 + 7)::bigint + 2147483648, $keys) AS key, mod(hashint4(n / 10 + 11)::bigint + 2147483648, 6) AS kind
          FROM generate_series($from, $to - 1) AS n
    ), counted AS (
        SELECT *, date_trunc('minute', now()) - interval '7 minutes'
                  - (($rows - 1) / 10 - number) * (interval '365 days' / (($rows + 9) / 10)) + (n % 10) * interval '45 seconds' AS at,
               (1 + random() * 4000)::int AS input, (20 + random() * 3000)::int AS output,
               (random() * 100000)::int AS cached, (random() * 20000)::int AS written,
               CASE WHEN kind < 4 THEN 'bedrock' ELSE 'plan' END AS provider,
               (ARRAY['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-haiku-5-5'])[1 + mod(kind, 3)] AS model
          FROM session
    )
    INSERT INTO token_usage (
        request_id, timestamp, user_id, access_key_id, model, upstream_model, upstream_message_id, input_tokens, output_tokens,
        cache_read_input_tokens, cache_creation_input_tokens, cache_creation_5m_tokens, cache_creation_1h_tokens, total_tokens,
        provider, is_fallback, latency_ms, time_to_first_token_ms, outcome, session_id, cost_usd, input_price_usd,
        output_price_usd, cache_read_price_usd, cache_write_5m_price_usd, cache_write_1h_price_usd, priced)
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 14))::uuid::text,
           at, md5('user ' || person)::uuid, md5('key ' || person || ' ' || key)::uuid, model,
           CASE provider WHEN 'bedrock' THEN 'global.anthropic.' || model ELSE model END, 'msg_' || md5(n::text), input, output,
           cached, written, written, 0, input + output + cached + written, provider, provider = 'bedrock',
           (500 + random() * 30000)::int, (300 + random() * 2000)::int,
           CASE WHEN n % 1000 = 7 THEN 'failed' WHEN n % 50 = 0 THEN 'cancelled' ELSE 'completed' END,
           md5('session ' || number)::uuid::text,
           (input * 4.0 + output * 20.0 + cached * 0.20 + written * 5.0) / 1000000, 4, 20, 0.20, 5, 8, TRUE
      FROM counted";

/// As the service sums up, in UTC. Minutes that are to be removed are kept for two days more.
pub(super) const SUMS: &str = "
    INSERT INTO usage_aggregates (
        bucket_type, bucket_start, user_id, access_key_id, provider, total_requests, total_input_tokens, total_output_tokens,
        total_cache_read_tokens, total_cache_write_tokens, total_tokens, total_cost_usd)
    SELECT '$bucket', date_trunc('$bucket', u.timestamp, 'UTC'), u.user_id, k.access_key_id, u.provider, count(*),
           sum(u.input_tokens), sum(u.output_tokens), sum(u.cache_read_input_tokens), sum(u.cache_creation_input_tokens),
           sum(u.total_tokens), sum(u.cost_usd)
      FROM token_usage u CROSS JOIN LATERAL (VALUES (u.access_key_id), (NULL::uuid)) AS k (access_key_id)
     WHERE '$bucket' <> 'minute' OR u.timestamp >= date_trunc('day', now(), 'UTC') - interval '16 days'
     GROUP BY 1, 2, 3, 4, 5
     ORDER BY 2, 3";
