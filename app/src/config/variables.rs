//! Every environment variable the service reads: name, default and meaning, for `--help`, the README and the sample file.

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Name in the environment.
    pub name: &'static str,
    /// The value when it is not set, in the form in which it would be set.
    pub default: WhenUnset,
    /// What it does, in a sentence.
    pub meaning: &'static str,
}

/// What happens when a variable is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenUnset {
    /// The service does not start.
    Required,
    /// The feature is off.
    Unset,
    /// This value.
    Value(&'static str),
}

impl Variable {
    const fn new(name: &'static str, default: WhenUnset, meaning: &'static str) -> Self {
        Self { name, default, meaning }
    }

    /// The default as a table shows it.
    pub fn default_text(&self) -> &'static str {
        match self.default {
            WhenUnset::Required => "required",
            WhenUnset::Unset => "unset",
            WhenUnset::Value(value) => value,
        }
    }
}

use WhenUnset::{Required, Unset, Value};

/// Where the proxy listens.
pub(super) const LISTEN_ADDR: Variable =
    Variable::new("LISTEN_ADDR", Value("0.0.0.0:8000"), "Address and port to listen on; port 0 takes a free one.");
/// Threads of the runtime.
pub(super) const WORKER_THREADS: Variable = Variable::new(
    "WORKER_THREADS",
    Value("1"),
    "Threads that serve requests, from 1 to 64. One is right for half a vCPU to a whole one; a second costs more than it \
     brings until the first is busy.",
);
/// PostgreSQL.
pub(super) const DATABASE_URL: Variable =
    Variable::new("DATABASE_URL", Required, "PostgreSQL 15 or later: postgres://user:password@host:5432/database.");
/// Pool size.
pub(super) const DATABASE_MAX_CONNECTIONS: Variable = Variable::new(
    "DATABASE_MAX_CONNECTIONS",
    Value("10"),
    "Connections to PostgreSQL at the most; one that hears of changes and up to four for the admin API come on top.",
);
/// The plan's address.
pub(super) const PLAN_BASE_URL: Variable = Variable::new(
    "PLAN_BASE_URL",
    Value("https://api.anthropic.com"),
    "Where the plan is; the path after the access key is appended.",
);
/// HTTP/2 to the plan.
pub(super) const PLAN_HTTP2_CONNECTIONS: Variable = Variable::new(
    "PLAN_HTTP2_CONNECTIONS",
    Value("0"),
    "Spread requests to the plan over so many HTTP/2 connections; 0: HTTP/1.1, a connection for each running request.",
);
/// The default plan key.
pub(super) const PLAN_API_KEY: Variable = Variable::new(
    "PLAN_API_KEY",
    Unset,
    "API key sent to the plan for requests that bring no credential of their own.",
);
/// Usage of the plan.
pub(super) const METER_PLAN: Variable = Variable::new(
    "METER_PLAN",
    Value("false"),
    "true: what the plan serves is stored too, one row for each message, with the tokens that its answer names.",
);
/// Bedrock's address.
pub(super) const BEDROCK_ENDPOINT_URL: Variable =
    Variable::new("BEDROCK_ENDPOINT_URL", Unset, "Bedrock runtime endpoint; unset: AWS's own for the key's region.");
/// The address of Bedrock's control plane.
pub(super) const BEDROCK_CONTROL_ENDPOINT_URL: Variable = Variable::new(
    "BEDROCK_CONTROL_ENDPOINT_URL",
    Unset,
    "Bedrock control plane, which lists inference profiles; unset: `BEDROCK_ENDPOINT_URL`, else AWS's own for the key's region.",
);
/// The HMAC secret.
pub(super) const KEY_HASHER_SECRET: Variable = Variable::new(
    "KEY_HASHER_SECRET",
    Required,
    "Secret of at least 32 characters under which access keys are hashed; changing it invalidates every key, unless it becomes `KEY_HASHER_SECRET_PREVIOUS`.",
);
/// Recognises older access keys.
pub(super) const KEY_HASHER_SECRET_PREVIOUS: Variable = Variable::new(
    "KEY_HASHER_SECRET_PREVIOUS",
    Unset,
    "Secret under which access keys were hashed before; they work on, and new ones are under `KEY_HASHER_SECRET`.",
);
/// The vault's key.
pub(super) const LOCAL_VAULT_KEY_FILE: Variable = Variable::new(
    "LOCAL_VAULT_KEY_FILE",
    Unset,
    "File with 32 random bytes in base64, under which Bedrock keys are encrypted. Required without `KMS_KEY_ID`; with it for what was encrypted before.",
);
/// The key of AWS KMS.
pub(super) const KMS_KEY_ID: Variable = Variable::new(
    "KMS_KEY_ID",
    Unset,
    "Key of AWS KMS under which Bedrock keys are encrypted: its id, its ARN or an alias; unset: under `LOCAL_VAULT_KEY_FILE`.",
);
/// The administrator's name.
pub(super) const ADMIN_USERNAME: Variable =
    Variable::new("ADMIN_USERNAME", Unset, "Name of the administrator; unset: nobody can log in to the admin API.");
/// The administrator's password.
pub(super) const ADMIN_PASSWORD_HASH: Variable = Variable::new(
    "ADMIN_PASSWORD_HASH",
    Unset,
    "Hash of the administrator's password, as the role `hash-password` prints it.",
);
/// Networks of administrators.
pub(super) const ADMIN_ALLOWED_CIDRS: Variable = Variable::new(
    "ADMIN_ALLOWED_CIDRS",
    Value("127.0.0.0/8,::1/128"),
    "Networks from which the admin API may be used.",
);
/// Load balancers.
pub(super) const TRUSTED_PROXIES: Variable = Variable::new(
    "TRUSTED_PROXIES",
    Unset,
    "Networks of the load balancers in front, whose `X-Forwarded-For` is believed; unset: nobody's.",
);
/// Bedrock's interface.
pub(super) const BEDROCK_API: Variable = Variable::new(
    "BEDROCK_API",
    Value("invoke"),
    "Interface of Bedrock that is asked: invoke (InvokeModel), or messages (its Messages API, /anthropic/v1/messages).",
);
/// Bedrock's capabilities.
pub(super) const BEDROCK_CAPABILITIES_FILE: Variable = Variable::new(
    "BEDROCK_CAPABILITIES_FILE",
    Unset,
    "File with what each generation of models takes on Bedrock, in the form of the role `capabilities`; unset: that table.",
);
/// Largest body.
pub(super) const MAX_BODY_SIZE: Variable =
    Variable::new("MAX_BODY_SIZE", Value("32MiB"), "Largest request body; a larger one is refused with 413.");
/// Largest body towards Bedrock.
pub(super) const BEDROCK_MAX_BODY_SIZE: Variable = Variable::new(
    "BEDROCK_MAX_BODY_SIZE",
    Value("20MiB"),
    "Largest body that Bedrock takes; a larger one does not fall back.",
);
/// TCP and TLS.
pub(super) const CONNECT_TIMEOUT: Variable =
    Variable::new("CONNECT_TIMEOUT", Value("5s"), "Time for a connection to the plan or to Bedrock, TLS included.");
/// First byte of a stream.
pub(super) const STREAM_FIRST_BYTE_TIMEOUT: Variable =
    Variable::new("STREAM_FIRST_BYTE_TIMEOUT", Value("120s"), "Time until the answer to a streamed request begins.");
/// First byte of anything else.
pub(super) const FIRST_BYTE_TIMEOUT: Variable =
    Variable::new("FIRST_BYTE_TIMEOUT", Value("600s"), "Time until the answer to any other request begins.");
/// Silence.
pub(super) const IDLE_TIMEOUT: Variable =
    Variable::new("IDLE_TIMEOUT", Value("300s"), "Longest silence in the middle of an upload or of an answer.");
/// Pings.
pub(super) const PING_INTERVAL: Variable = Variable::new(
    "PING_INTERVAL",
    Value("15s"),
    "Longest silence of a stream that Bedrock serves; then the proxy sends a ping.",
);
/// Staying on Bedrock.
pub(super) const STAY_LIMIT: Variable = Variable::new(
    "STAY_LIMIT",
    Value("5m"),
    "How long a conversation that fell back stays on Bedrock in mid-turn once the plan could serve it again.",
);
/// What models refuse.
pub(super) const LEARNED_TTL: Variable = Variable::new(
    "LEARNED_TTL",
    Value("24h"),
    "How long it is believed that a model on Bedrock refuses what it once refused; then it is asked again.",
);
/// Heads of requests.
pub(super) const HEADER_TIMEOUT: Variable =
    Variable::new("HEADER_TIMEOUT", Value("10s"), "Time for the head of a request, from its first byte to its last.");
/// Connections between requests.
pub(super) const KEEP_ALIVE_TIMEOUT: Variable = Variable::new(
    "KEEP_ALIVE_TIMEOUT",
    Value("650s"),
    "How long a connection without a request is kept; longer than the load balancer keeps it.",
);
/// Requests at a time.
pub(super) const MAX_IN_FLIGHT: Variable =
    Variable::new("MAX_IN_FLIGHT", Value("2000"), "Requests at a time, streams included; more are refused with 529.");
/// Requests of one key.
pub(super) const KEY_REQUESTS_PER_MINUTE: Variable = Variable::new(
    "KEY_REQUESTS_PER_MINUTE",
    Unset,
    "Messages that one access key may ask for in a minute; more are refused with 429.",
);
/// The beginning of a shutdown.
pub(super) const DRAIN_DELAY: Variable = Variable::new(
    "DRAIN_DELAY",
    Value("10s"),
    "Time after SIGTERM in which requests are still taken, for the load balancer to notice; 0s for none.",
);
/// Shutdown.
pub(super) const SHUTDOWN_TIMEOUT: Variable = Variable::new(
    "SHUTDOWN_TIMEOUT",
    Value("110s"),
    "Time that running requests get after SIGTERM, the delay included.",
);
/// Cache of access keys.
pub(super) const KEY_CACHE_TTL: Variable = Variable::new(
    "KEY_CACHE_TTL",
    Value("15s"),
    "How long an access key is trusted before the database is asked again.",
);
/// The zone of the sums.
pub(super) const REPORT_TIMEZONE: Variable = Variable::new(
    "REPORT_TIMEZONE",
    Value("UTC"),
    "Time zone (IANA) in which the days, weeks and months of the sums of usage begin; changed later, it wants `usage-verify --rebuild`.",
);
/// The finest sums.
pub(super) const MINUTE_AGGREGATES_KEPT: Variable = Variable::new(
    "MINUTE_AGGREGATES_KEPT",
    Value("14d"),
    "How long sums of usage by the minute are kept; those by the hour and longer are kept for ever.",
);
/// The journal.
pub(super) const USAGE_JOURNAL_DIR: Variable = Variable::new(
    "USAGE_JOURNAL_DIR",
    Unset,
    "Folder on a local disk in which usage is kept until the database has it; unset: memory and the log only.",
);
/// Its size.
pub(super) const USAGE_JOURNAL_MAX_SIZE: Variable = Variable::new(
    "USAGE_JOURNAL_MAX_SIZE",
    Value("256MiB"),
    "Size of that journal at the most, for each process; what does not fit is in memory and in the log.",
);
/// Metrics at AWS.
pub(super) const CLOUDWATCH_METRICS: Variable = Variable::new(
    "CLOUDWATCH_METRICS",
    Value("false"),
    "true: metrics are sent to Amazon CloudWatch once a minute, with credentials from AWS's standard chain.",
);
/// Metrics for Prometheus.
pub(super) const METRICS_ADDR: Variable = Variable::new(
    "METRICS_ADDR",
    Unset,
    "Address and port on which `/metrics` answers Prometheus, to anybody who reaches it; unset: nowhere.",
);
/// Secrets Manager.
pub(super) const SECRETS_PREFIX: Variable = Variable::new(
    "SECRETS_PREFIX",
    Unset,
    "What the names of the secrets in AWS Secrets Manager begin with, such as `claude-code-proxy`; unset: all settings are in the environment.",
);
/// The certificates of the database's authority.
pub(super) const DATABASE_CA_FILE: Variable = Variable::new(
    "DATABASE_CA_FILE",
    Unset,
    "With `SECRETS_PREFIX`: certificates in PEM against which the database's is checked; unset: those of the system.",
);
/// AWS's region.
pub(super) const AWS_REGION: Variable = Variable::new(
    "AWS_REGION",
    Unset,
    "Region of CloudWatch, KMS and Secrets Manager; unset: as AWS's standard chain finds it. Bedrock is asked in the region of the access key.",
);
/// Another AWS.
pub(super) const AWS_ENDPOINT_URL: Variable =
    Variable::new("AWS_ENDPOINT_URL", Unset, "Where AWS's services are, Bedrock left out; unset: AWS's own endpoints.");
/// Log level.
pub(super) const LOG_LEVEL: Variable = Variable::new(
    "LOG_LEVEL",
    Value("info"),
    "error, warn, info, debug or trace, also by part: `info,claude_code_proxy::relay=debug`; libraries never log below warn.",
);

/// All of them, in the order in which the README lists them.
pub const VARIABLES: &[Variable] = &[
    LISTEN_ADDR,
    WORKER_THREADS,
    DATABASE_URL,
    DATABASE_MAX_CONNECTIONS,
    KEY_HASHER_SECRET,
    KEY_HASHER_SECRET_PREVIOUS,
    LOCAL_VAULT_KEY_FILE,
    KMS_KEY_ID,
    PLAN_BASE_URL,
    PLAN_HTTP2_CONNECTIONS,
    PLAN_API_KEY,
    METER_PLAN,
    BEDROCK_ENDPOINT_URL,
    BEDROCK_CONTROL_ENDPOINT_URL,
    ADMIN_USERNAME,
    ADMIN_PASSWORD_HASH,
    ADMIN_ALLOWED_CIDRS,
    TRUSTED_PROXIES,
    BEDROCK_API,
    BEDROCK_CAPABILITIES_FILE,
    MAX_BODY_SIZE,
    BEDROCK_MAX_BODY_SIZE,
    CONNECT_TIMEOUT,
    STREAM_FIRST_BYTE_TIMEOUT,
    FIRST_BYTE_TIMEOUT,
    IDLE_TIMEOUT,
    PING_INTERVAL,
    STAY_LIMIT,
    LEARNED_TTL,
    HEADER_TIMEOUT,
    KEEP_ALIVE_TIMEOUT,
    MAX_IN_FLIGHT,
    KEY_REQUESTS_PER_MINUTE,
    DRAIN_DELAY,
    SHUTDOWN_TIMEOUT,
    KEY_CACHE_TTL,
    REPORT_TIMEZONE,
    MINUTE_AGGREGATES_KEPT,
    USAGE_JOURNAL_DIR,
    USAGE_JOURNAL_MAX_SIZE,
    SECRETS_PREFIX,
    DATABASE_CA_FILE,
    CLOUDWATCH_METRICS,
    METRICS_ADDR,
    AWS_REGION,
    AWS_ENDPOINT_URL,
    LOG_LEVEL,
];
