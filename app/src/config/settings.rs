//! The settings as the code uses them: one small struct a concern, all read by `Config::read`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::admin::AdminConfig;
use super::env::{ConfigProblems, Environment};
use super::journal::JournalConfig;
use super::limits::LimitConfig;
use super::log::LogFilter;
use super::metrics::{AwsConfig, MetricsConfig};
use super::reports::ReportConfig;
use super::variables as var;
use crate::domain::{Dialect, Secret};

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
}

/// PostgreSQL.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// `DATABASE_URL`
    pub url: Secret,
    /// `DATABASE_MAX_CONNECTIONS`
    pub max_connections: u32,
}

/// Access keys.
#[derive(Clone, Debug)]
pub struct KeyConfig {
    /// `KEY_HASHER_SECRET`
    pub hasher_secret: Secret,
    /// `KEY_HASHER_SECRET_PREVIOUS`
    pub previous_hasher_secret: Option<Secret>,
    /// `KEY_CACHE_TTL`
    pub cache_ttl: Duration,
}

/// Under which key Bedrock keys are encrypted; one of the two is there.
#[derive(Clone, Debug)]
pub struct VaultConfig {
    /// `LOCAL_VAULT_KEY_FILE`
    pub key_file: Option<PathBuf>,
    /// `KMS_KEY_ID`
    pub kms_key_id: Option<String>,
}

/// The plan.
#[derive(Clone, Debug)]
pub struct PlanConfig {
    /// `PLAN_BASE_URL`, without a trailing slash
    pub base_url: String,
    /// `PLAN_HTTP2_CONNECTIONS`; 0: HTTP/1.1
    pub http2_connections: usize,
    /// `PLAN_API_KEY`
    pub default_key: Option<Secret>,
    /// `METER_PLAN`
    pub metered: bool,
}

/// Bedrock.
#[derive(Clone, Debug)]
pub struct BedrockConfig {
    /// `BEDROCK_ENDPOINT_URL`; `None`: AWS's own
    pub endpoint_url: Option<String>,
    /// `BEDROCK_CONTROL_ENDPOINT_URL`; `None`: the one above, else AWS's own
    pub control_endpoint_url: Option<String>,
    /// `BEDROCK_API`
    pub dialect: Dialect,
    /// `BEDROCK_CAPABILITIES_FILE`; `None`: the table that comes with the proxy
    pub capabilities_file: Option<PathBuf>,
    /// `BEDROCK_MAX_BODY_SIZE`, bytes
    pub max_body: usize,
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
        let env_ref = &mut env;
        let server = ServerConfig::read(env_ref);
        let database = DatabaseConfig::read(env_ref);
        let keys = KeyConfig::read(env_ref);
        let vault = VaultConfig::read(env_ref);
        let plan = PlanConfig::read(env_ref);
        let endpoint_url = env_ref.base_url(&var::BEDROCK_ENDPOINT_URL);
        let control_endpoint_url = env_ref.base_url(&var::BEDROCK_CONTROL_ENDPOINT_URL);
        let dialect = env_ref.parse(&var::BEDROCK_API, str::parse::<Dialect>);
        let capabilities_file = env_ref.parse(&var::BEDROCK_CAPABILITIES_FILE, |text| match std::fs::metadata(text) {
            Ok(found) if found.is_file() => Ok(PathBuf::from(text)),
            _ => Err("is no file; write one with `claude-code-proxy capabilities`, or leave the setting out"),
        });
        let bedrock_max = env_ref.size(&var::BEDROCK_MAX_BODY_SIZE);
        let timeouts = TimeoutConfig::read(env_ref);
        let limits = LimitConfig::read(env_ref);
        let reports = ReportConfig::read(env_ref);
        let journal = JournalConfig::read(env_ref);
        let admin = AdminConfig::read(env_ref);
        let metrics = MetricsConfig::read(env_ref);
        let aws = AwsConfig::read(env_ref);
        let log_level = env_ref.parse(&var::LOG_LEVEL, str::parse::<LogFilter>);
        env.finish()?;
        // After `finish` nothing required is missing; the pattern says so without a panic.
        match (
            server,
            database,
            keys,
            vault,
            plan,
            dialect,
            bedrock_max,
            timeouts,
            limits,
            reports,
            journal,
            admin,
            metrics,
            log_level,
        ) {
            (
                Some(server),
                Some(database),
                Some(keys),
                Some(vault),
                Some(plan),
                Some(dialect),
                Some(max_body),
                Some(timeouts),
                Some(limits),
                Some(reports),
                Some(journal),
                Some(admin),
                Some(metrics),
                Some(log_level),
            ) => Ok(Self {
                server,
                database,
                keys,
                vault,
                plan,
                bedrock: BedrockConfig { endpoint_url, control_endpoint_url, dialect, capabilities_file, max_body },
                timeouts,
                limits,
                reports,
                journal,
                admin,
                metrics,
                aws,
                log_level,
            }),
            _ => Err(ConfigProblems(vec!["a required setting is missing".to_owned()])),
        }
    }
}

impl ServerConfig {
    /// Reads what a role needs that listens, or asks who listens.
    pub fn read(env: &mut Environment<'_>) -> Option<Self> {
        let listen = env.parse(&var::LISTEN_ADDR, |text| {
            text.parse().map_err(|_| "is no address with a port; write it like 0.0.0.0:8000 or [::]:8000")
        });
        let max_body = env.size(&var::MAX_BODY_SIZE);
        Some(Self { listen: listen?, max_body: max_body? })
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

impl PlanConfig {
    fn read(env: &mut Environment<'_>) -> Option<Self> {
        let base_url = env.base_url(&var::PLAN_BASE_URL);
        let http2_connections = env.parse(&var::PLAN_HTTP2_CONNECTIONS, |text| match text.parse() {
            Ok(number @ 0..=64) => Ok(number),
            _ => Err("must be a number from 0 to 64"),
        });
        let default_key = Self::default_key(env);
        let metered = env.parse(&var::METER_PLAN, |text| text.parse::<bool>().map_err(|_| "must be true or false"));
        Some(Self { base_url: base_url?, http2_connections: http2_connections?, default_key, metered: metered? })
    }

    /// Reads the key for requests that bring none.
    pub fn default_key(env: &mut Environment<'_>) -> Option<Secret> {
        env.secret(&var::PLAN_API_KEY, header_safe)
    }
}

impl KeyConfig {
    /// Reads what a role needs that recognises or issues access keys.
    pub fn read(env: &mut Environment<'_>) -> Option<Self> {
        let hasher_secret = env.secret(&var::KEY_HASHER_SECRET, |text| {
            if text.len() >= 32 {
                Ok(())
            } else {
                Err("is shorter than 32 characters; make one with: openssl rand -hex 32".to_owned())
            }
        });
        let previous_hasher_secret = env.secret(&var::KEY_HASHER_SECRET_PREVIOUS, |_| Ok(()));
        let cache_ttl = env.duration(&var::KEY_CACHE_TTL);
        Some(Self { hasher_secret: hasher_secret?, previous_hasher_secret, cache_ttl: cache_ttl? })
    }
}

impl VaultConfig {
    /// Reads what a role needs that keeps or uses Bedrock keys.
    pub fn read(env: &mut Environment<'_>) -> Option<Self> {
        let key_file = env.parse(&var::LOCAL_VAULT_KEY_FILE, |text| match std::fs::metadata(text) {
            Ok(file) if file.is_file() => Ok(PathBuf::from(text)),
            Ok(_) => Err("is no file".to_owned()),
            Err(error) => Err(format!(
                "cannot be read ({error}); make one with: openssl rand -base64 32 > FILE && chmod 600 FILE"
            )),
        });
        let kms_key_id = env.parse(&var::KMS_KEY_ID, |text| {
            if text.bytes().all(|b| b.is_ascii_graphic()) {
                Ok(text.to_owned())
            } else {
                Err("is no key of AWS KMS; write its id, its ARN, or an alias like alias/claude-code-proxy")
            }
        });
        if !env.is_set(&var::LOCAL_VAULT_KEY_FILE) && !env.is_set(&var::KMS_KEY_ID) {
            env.problem(&var::LOCAL_VAULT_KEY_FILE, None, "is not set, and KMS_KEY_ID neither; one of them has to be");
        }
        Some(Self { key_file, kms_key_id })
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

/// A key travels in a header, where line breaks and the like cannot be.
fn header_safe(text: &str) -> Result<(), String> {
    if text.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(())
    } else {
        Err("has spaces or characters that no key has".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
