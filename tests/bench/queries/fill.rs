//! Fills a database of its own with a year of usage, and with the sums of it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Instant;

use anyhow::{Context as _, Result};
use claude_code_proxy::config::DatabaseConfig;
use claude_code_proxy::domain::Secret;
use claude_code_proxy::store::Database;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use xtask::postgres::with_database;
use xtask::progress::{readable, step};
use xtask::workspace;

/// Developers.
pub(super) const USERS: u32 = 2_500;
/// Access keys of each of them.
pub(super) const KEYS_OF_USER: u32 = 3;
/// Rows of one statement.
const PIECE: u32 = 250_000;
/// What the names of these databases begin with.
const PREFIX: &str = "ccp_bench_";
const BUCKETS: [&str; 5] = ["month", "week", "day", "hour", "minute"];

/// Hashes, so that a number always has the same user.
const PEOPLE: &str = "
    INSERT INTO users (id, name) SELECT md5('user ' || n)::uuid, 'developer ' || n FROM generate_series(0, $users - 1) AS n;
    INSERT INTO access_keys (id, user_id, key_hash, key_prefix, bedrock_model)
    SELECT md5('key ' || n || ' ' || k)::uuid, md5('user ' || n)::uuid, md5('hash ' || n) || md5('hash ' || k), 'ak_bench',
           'global.anthropic.claude-opus-5-5'
      FROM generate_series(0, $users - 1) AS n, generate_series(0, $keys - 1) AS k";

/// Ten requests of a session, 45 seconds apart, and the next session of somebody else. Two of three sessions were served by
/// Bedrock. Ids rise with the time, as those of the service do.
const ROWS: &str = "
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
           CASE WHEN n % 50 = 0 THEN 'cancelled' ELSE 'completed' END, md5('session ' || number)::uuid::text,
           (input * 4.0 + output * 20.0 + cached * 0.20 + written * 5.0) / 1000000, 4, 20, 0.20, 5, 8, TRUE
      FROM counted";

/// As the service sums up, in UTC. Minutes that are to be removed are kept for two days more.
const SUMS: &str = "
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

/// A filled database.
#[derive(Debug)]
pub(super) struct Filled {
    server: String,
    name: String,
    url: String,
}

/// How large it is.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Size {
    pub(super) rows: i64,
    pub(super) space_of_rows: String,
    pub(super) sums: i64,
    pub(super) space_of_sums: String,
}

/// The database that an earlier run has kept, if it is the same, else a new one.
pub(super) async fn open(server: &str, rows: u32) -> Result<Filled> {
    let name = format!("{PREFIX}{rows}_{:016x}", fingerprint()?);
    let mut connection = PgConnection::connect(server).await.context("cannot reach the database server")?;
    let kept: Vec<String> =
        sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE starts_with(datname::text, $1)")
            .bind(PREFIX)
            .fetch_all(&mut connection)
            .await?;
    for other in kept.iter().filter(|&kept| *kept != name) {
        run(&mut connection, &format!("DROP DATABASE {other} WITH (FORCE)")).await?;
    }
    if kept.contains(&name) {
        step("using the database that was kept");
    } else {
        // Under another name until it is whole.
        let draft = format!("{name}_draft");
        run(&mut connection, &format!("CREATE DATABASE {draft}")).await?;
        fill(&with_database(server, &draft), rows).await?;
        run(&mut connection, &format!("ALTER DATABASE {draft} RENAME TO {name}")).await?;
    }
    connection.close().await?;
    Ok(Filled { server: server.to_owned(), url: with_database(server, &name), name })
}

impl Filled {
    /// Where it is.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// How large it is.
    pub(super) async fn size(&self) -> Result<Size> {
        let mut connection = PgConnection::connect(&self.url).await?;
        let size = sqlx::query_as(
            "SELECT (SELECT count(*) FROM token_usage) AS rows, (SELECT count(*) FROM usage_aggregates) AS sums,
                    pg_size_pretty(pg_total_relation_size('token_usage')) AS space_of_rows,
                    pg_size_pretty(pg_total_relation_size('usage_aggregates')) AS space_of_sums",
        );
        let size = size.fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(size)
    }

    /// Keeps it for the next run, or removes it.
    pub(super) async fn leave(self, keep: bool) -> Result<()> {
        if !keep {
            let mut connection = PgConnection::connect(&self.server).await?;
            run(&mut connection, &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await?;
            connection.close().await?;
        }
        Ok(())
    }
}

async fn fill(url: &str, rows: u32) -> Result<()> {
    let started = Instant::now();
    let database = Database::open(&DatabaseConfig { url: Secret::new(url), max_connections: 1 })?;
    database.migrate().await?;
    database.close().await;
    let mut connection = PgConnection::connect(url).await?;
    // For filling only: what is measured has connections of its own.
    run(&mut connection, "SET synchronous_commit = off; SET work_mem = '256MB'; SELECT setseed(0.5)").await?;
    let counts = |text: &str| text.replace("$users", &USERS.to_string()).replace("$keys", &KEYS_OF_USER.to_string());
    run(&mut connection, &counts(PEOPLE)).await?;
    for from in (0..rows).step_by(usize::try_from(PIECE)?) {
        let to = rows.min(from.saturating_add(PIECE));
        let piece = counts(ROWS).replace("$rows", &rows.to_string());
        run(&mut connection, &piece.replace("$from", &from.to_string()).replace("$to", &to.to_string())).await?;
        step(format_args!("{to} of {rows} rows after {}", readable(started.elapsed())));
    }
    for bucket in BUCKETS {
        run(&mut connection, &SUMS.replace("$bucket", bucket)).await?;
        step(format_args!("sums by the {bucket} after {}", readable(started.elapsed())));
    }
    run(&mut connection, "VACUUM (ANALYZE)").await?;
    run(&mut connection, "CHECKPOINT").await?;
    connection.close().await?;
    step(format_args!("filled after {}", readable(started.elapsed())));
    Ok(())
}

/// Of all that decides what is in the database.
fn fingerprint() -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    (PEOPLE, ROWS, SUMS, USERS, KEYS_OF_USER).hash(&mut hasher);
    let folder = workspace::root().join("migrations");
    let files = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = files.map(|file| file.map(|file| file.path())).collect::<Result<Vec<_>, _>>()?;
    files.sort_unstable();
    for file in files {
        std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

async fn run(connection: &mut PgConnection, statements: &str) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await.context("cannot fill the database")?;
    Ok(())
}
