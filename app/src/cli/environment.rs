//! The settings of a role: its environment, and the secrets that are not in it.

use anyhow::Context as _;

use crate::aws::{self, Secrets};
use crate::config::{AwsConfig, Environment, SecretName, SecretsConfig, TimeoutConfig};
use crate::upstream::http_client;

/// The environment of the process, with those of these secrets as settings that are not set in it. Without `SECRETS_PREFIX`
/// nobody is asked.
pub(super) async fn environment(names: &[SecretName]) -> anyhow::Result<Environment<'static>> {
    let Some(secrets) = secrets().await? else { return Ok(Environment::of_process()) };
    Ok(Environment::of_process_and(secrets.settings(names).await?))
}

/// Secrets Manager, if the settings name it.
pub(super) async fn secrets() -> anyhow::Result<Option<Secrets>> {
    let mut env = Environment::of_process();
    let config = SecretsConfig::read(&mut env);
    env.finish()?;
    // What is wrong with these is told with the rest of the settings.
    let mut env = Environment::of_process();
    let (aws, timeouts) = (AwsConfig::read(&mut env), TimeoutConfig::read(&mut env));
    let (Some(config), Some(timeouts)) = (config, timeouts) else { return Ok(None) };
    let http = http_client(&timeouts).context("the HTTP client cannot be made")?;
    Ok(Some(Secrets::new(&aws::sdk_config(http, &aws).await, config)))
}
