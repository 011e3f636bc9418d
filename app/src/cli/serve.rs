//! The role `serve`: settings, vault, app, signals.

use std::process::ExitCode;
use std::sync::Arc;
use std::task::Poll;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use super::descriptors;
use super::environment::secrets;
use super::rotation::Rotation;
use crate::app::App;
use crate::config::{Config, Environment, SecretName, SecretSettings};
use crate::telemetry;
use crate::telemetry::metrics::Exporters;
use crate::telemetry::standing::{Standing, Standings, State};
use crate::upstream::http_client;
use crate::vault::Vaults;

/// Runs the proxy until a signal ends it.
pub(super) async fn serve() -> anyhow::Result<ExitCode> {
    let secrets = secrets().await?;
    let known = match &secrets {
        Some(secrets) => secrets.settings(&SecretName::ALL).await?,
        None => SecretSettings::new(),
    };
    let config = Config::read(Environment::of_process_and(known.clone()))?;
    telemetry::log_to_stdout(&config.log_level);
    descriptors::allow_all(config.limits.in_flight);
    let http = http_client(&config.timeouts).context("the HTTP client cannot be made")?;
    let vault = Vaults::open(&config.vault, &config.aws, &http)?;
    let exporters = Exporters::start(&config.metrics, &config.aws, http).await?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
    let standings = Standings {
        vault: vault.standing(),
        secrets: Standing::new(if secrets.is_some() { State::Ready } else { State::Unused }),
        metrics: exporters.standing(),
    };
    let (hasher_secret, of_secrets) = (config.keys.hasher_secret.clone(), standings.secrets.clone());
    let app = App::build(config, Arc::new(vault), standings).await?;
    let _rotation = secrets.map(|secrets| Rotation::start(&secrets, &known, hasher_secret, &of_secrets, &app));
    let signals = futures_util::stream::poll_fn(move |cx| match terminate.poll_recv(cx) {
        Poll::Pending => interrupt.poll_recv(cx),
        signal @ Poll::Ready(_) => signal,
    });
    app.run(signals).await;
    exporters.stop().await;
    Ok(ExitCode::SUCCESS)
}
