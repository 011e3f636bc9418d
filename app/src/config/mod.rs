//! Settings of every role, read from the environment once, before anything starts; all problems are reported together.

mod admin;
mod env;
mod journal;
mod keys;
mod limits;
mod live;
mod log;
mod metrics;
mod providers;
mod reports;
mod secrets;
mod settings;
mod variables;

pub use admin::{AdminConfig, AdminCredentials};
pub use env::{ConfigProblems, Environment};
pub use journal::JournalConfig;
pub use keys::{KeyConfig, VaultConfig};
pub use limits::LimitConfig;
pub use live::Live;
pub use log::LogFilter;
pub use metrics::{AwsConfig, MetricsConfig};
pub use providers::{BedrockConfig, PlanConfig};
pub use reports::ReportConfig;
pub use secrets::{SecretName, SecretSettings, SecretsConfig};
pub use settings::{Config, DatabaseConfig, ServerConfig, TimeoutConfig, worker_threads};
pub use variables::{VARIABLES, Variable};
