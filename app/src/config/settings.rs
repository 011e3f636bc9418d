//! The settings as the code uses them: one small struct a concern, all read by `Config::read`.

use std::net::SocketAddr;
use std::time::Duration;

use super::admin::AdminConfig;
use super::env::{ConfigProblems, Environment};
use super::journal::JournalConfig;
use super::keys::{KeyConfig, VaultConfig};
use super::limits::LimitConfig;
use super::log::LogFilter;
use super::metrics::{AwsConfig, MetricsConfig};
use super::providers::{BedrockConfig, PlanConfig};
use super::reports::ReportConfig;
use super::variables as var;
use crate::domain::Secret;

/// Settings of the `serve` role.
#[derive(Clone, Debug)]
pub struct Config {
    /// How the proxy is reached.
    pub server: ServerConfig,
    /// Where usage and keys are stored.
    pub database: DatabaseConfig,
    /// How access keys are recognised.
    pub keys: KeyConfig,
    /// How Bedrock keys are kept.
    pub vault: VaultConfig,
    /// The first choice.
    pub plan: PlanConfig,
    /// The second choice.
    pub bedrock: BedrockConfig,
    /// How long anything may take.
    pub timeouts: TimeoutConfig,
    /// How much at a time, and how it ends.
    pub limits: LimitConfig,
    /// How usage is summed up.
    pub reports: ReportConfig,
    /// Where usage waits for the database.
    pub journal: JournalConfig,
    /// Who administers.
    pub admin: AdminConfig,
    /// Where metrics go.
    pub metrics: MetricsConfig,
    /// How AWS is reached.
    pub aws: AwsConfig,
    /// `LOG_LEVEL`
    pub log_level: LogFilter,
}

/// How the proxy is reached.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// `LISTEN_ADDR`
    pub listen: SocketAddr,
    /// `MAX_BODY_SIZE`, bytes
    pub max_body: usize,
    /// `WORKER_THREADS`
    pub worker_threads: usize,
}

/// PostgreSQL.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// `DATABASE_URL`
    pub url: Secret,
    /// `DATABASE_MAX_CONNECTIONS`
    pub max_connections: u32,
}

/// Every wait of the request path.
#[derive(Clone, Copy, Debug)]
pub struct TimeoutConfig {
    /// `CONNECT_TIMEOUT`
    pub connect: Duration,
    /// `STREAM_FIRST_BYTE_TIMEOUT`
    pub stream_first_byte: Duration,
    /// `FIRST_BYTE_TIMEOUT`
    pub first_byte: Duration,
    /// `IDLE_TIMEOUT`
    pub idle: Duration,
    /// `PING_INTERVAL`
    pub ping_interval: Duration,
    /// `STAY_LIMIT`
    pub stay: Duration,
    /// `LEARNED_TTL`
    pub learned: Duration,
}

impl TimeoutConfig {
    /// The time until an answer must have begun.
    pub fn until_first_byte(&self, streamed: bool) -> Duration {
        if streamed { self.stream_first_byte } else { self.first_byte }
    }
}

impl Config {
    /// Reads everything that `serve` needs.
    ///
    /// # Errors
    /// All problems at once; nothing has been started by then.
    pub fn read(mut env: Environment<'_>) -> Result<Self, ConfigProblems> {
        let config = Self::whole(&mut env);
        env.finish()?;
        // After `finish` nothing required is missing.
        config.ok_or_else(|| ConfigProblems(vec!["a required setting is missing".to_owned()]))
    }

    /// All parts are read before the first that is missing ends it, so that every problem is told.
    fn whole(env: &mut Environment<'_>) -> Option<Self> {
        let server = ServerConfig::read(env);
        let database = DatabaseConfig::read(env);
        let keys = KeyConfig::read(env);
        let vault = VaultConfig::read(env);
        let plan = PlanConfig::read(env);
        let bedrock = BedrockConfig::read(env);
        let timeouts = TimeoutConfig::read(env);
        let limits = LimitConfig::read(env);
        let reports = ReportConfig::read(env);
        let journal = JournalConfig::read(env);
        let admin = AdminConfig::read(env);
        let metrics = MetricsConfig::read(env);
        let aws = AwsConfig::read(env);
        let log_level = env.parse(&var::LOG_LEVEL, str::parse::<LogFilter>);
        Some(Self {
            server: server?,
            database: database?,
            keys: keys?,
            vault: vault?,
            plan: plan?,
            bedrock: bedrock?,
            timeouts: timeouts?,
            limits: limits?,
            reports: reports?,
            journal: journal?,
            admin: admin?,
            metrics: metrics?,
            aws,
            log_level: log_level?,
        })
    }
}

/// The threads of a process, which begin before its settings are read: what is wrong here is told with the rest of them.
pub fn worker_threads(env: &mut Environment<'_>) -> Option<usize> {
    env.parse(&var::WORKER_THREADS, |text| match text.parse() {
        Ok(number @ 1_usize..=64) => Ok(number),
        _ => Err("must be a number from 1 to 64"),
    })
}

impl ServerConfig {
    /// Reads what a role needs that listens, or asks who listens.
    pub fn read(env: &mut Environment<'_>) -> Option<Self> {
        let listen = env.parse(&var::LISTEN_ADDR, |text| {
            text.parse().map_err(|_| "is no address with a port; write it like 0.0.0.0:8000 or [::]:8000")
        });
        let max_body = env.size(&var::MAX_BODY_SIZE);
        let worker_threads = worker_threads(env);
        Some(Self { listen: listen?, max_body: max_body?, worker_threads: worker_threads? })
    }
}

impl DatabaseConfig {
    /// Reads what a role needs that speaks to the database only.
    pub fn read(env: &mut Environment<'_>) -> Option<Self> {
        let url = env.secret(&var::DATABASE_URL, |text| {
            let known = text.starts_with("postgres://") || text.starts_with("postgresql://");
            let readable = known && text.parse::<sqlx::postgres::PgConnectOptions>().is_ok();
            let form = "cannot be read as postgres://user:password@host:5432/database, special characters percent-encoded \
                        (its value is not shown here)";
            if readable { Ok(()) } else { Err(form.to_owned()) }
        });
        let max_connections = env.parse(&var::DATABASE_MAX_CONNECTIONS, |text| match text.parse() {
            Ok(number @ 1_u32..=1000) => Ok(number),
            _ => Err("must be a number from 1 to 1000"),
        });
        Some(Self { url: url?, max_connections: max_connections? })
    }
}

impl TimeoutConfig {
    /// Reads what a role needs that asks others over HTTP.
    pub fn read(env: &mut Environment<'_>) -> Option<Self> {
        let connect = env.duration(&var::CONNECT_TIMEOUT);
        let stream_first_byte = env.duration(&var::STREAM_FIRST_BYTE_TIMEOUT);
        let first_byte = env.duration(&var::FIRST_BYTE_TIMEOUT);
        let idle = env.duration(&var::IDLE_TIMEOUT);
        let ping_interval = env.duration(&var::PING_INTERVAL);
        let stay = env.duration(&var::STAY_LIMIT);
        let learned = env.duration(&var::LEARNED_TTL);
        Some(Self {
            connect: connect?,
            stream_first_byte: stream_first_byte?,
            first_byte: first_byte?,
            idle: idle?,
            ping_interval: ping_interval?,
            stay: stay?,
            learned: learned?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Dialect;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigProblems> {
        Config::read(Environment::new(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())))
    }

    const COMPLETE: &[(&str, &str)] = &[
        ("DATABASE_URL", "postgres://u:p@h/d"),
        ("KEY_HASHER_SECRET", "0123456789abcdef0123456789abcdef"),
        ("LOCAL_VAULT_KEY_FILE", "Cargo.toml"),
    ];

    /// B-54: a whole answer may take as long as Claude Code waits for it, ten minutes.
    #[test]
    fn the_required_settings_are_enough() {
        let config = read(COMPLETE).unwrap();
        assert_eq!(config.server.listen.port(), 8000);
        assert_eq!(config.server.max_body, 32 << 20);
        assert_eq!(config.plan.base_url, "https://api.anthropic.com");
        assert_eq!(config.bedrock.dialect, Dialect::Invoke);
        assert_eq!(config.timeouts.until_first_byte(true), Duration::from_mins(2));
        assert_eq!(config.timeouts.until_first_byte(false), Duration::from_mins(10));
    }

    #[test]
    fn every_problem_is_told_at_once_and_no_secret_with_it() {
        let problems = read(&[
            ("KEY_HASHER_SECRET", "too short"),
            ("DATABASE_URL", "mysql://u:hidden@h/d"),
            ("LISTEN_ADDR", "8000"),
            ("IDLE_TIMEOUT", "soon"),
            ("MAX_BODY_SIZE", "lots"),
            ("PLAN_BASE_URL", "https://user:hidden@host"),
            ("BEDROCK_ENDPOINT_URL", "ftp://host"),
            ("BEDROCK_API", "converse"),
        ])
        .unwrap_err()
        .to_string();
        for name in [
            "KEY_HASHER_SECRET",
            "DATABASE_URL",
            "LISTEN_ADDR",
            "IDLE_TIMEOUT",
            "MAX_BODY_SIZE",
            "PLAN_BASE_URL",
            "BEDROCK_ENDPOINT_URL",
            "BEDROCK_API",
            "LOCAL_VAULT_KEY_FILE",
        ] {
            assert!(problems.contains(name), "{name} is missing in {problems}");
        }
        assert!(!problems.contains("hidden") && !problems.contains("too short"), "{problems}");
    }

    #[test]
    fn every_default_is_valid() {
        let with_optional = [
            COMPLETE,
            &[
                ("PLAN_API_KEY", "sk-ant-x"),
                ("BEDROCK_ENDPOINT_URL", "http://127.0.0.1:1/"),
                ("BEDROCK_API", "messages"),
            ],
        ]
        .concat();
        let config = read(&with_optional).unwrap();
        assert_eq!(config.bedrock.endpoint_url.as_deref(), Some("http://127.0.0.1:1"));
        assert_eq!(config.bedrock.dialect, Dialect::Messages);
    }
}
