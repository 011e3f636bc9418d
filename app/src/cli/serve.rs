//! The role `serve`: settings, vault, app, signals.

use std::process::ExitCode;
use std::sync::Arc;
use std::task::Poll;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use super::environment::{environment, secrets};
use super::rotation::Rotation;
use crate::app::App;
use crate::config::{Config, SecretName};
use crate::telemetry;
use crate::telemetry::metrics::Exporters;
use crate::upstream::http_client;
use crate::vault::Vaults;

/// Runs the proxy until a signal ends it.
pub(super) async fn serve() -> anyhow::Result<ExitCode> {
    let config = Config::read(environment(&SecretName::ALL).await?)?;
    telemetry::log_to_stdout(&config.log_level);
    let http = http_client(&config.timeouts).context("the HTTP client cannot be made")?;
    let vault = Vaults::open(&config.vault, &config.aws, &http)?;
    let exporters = Exporters::start(&config.metrics, &config.aws, http).await?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
    let login = config.database.url.clone();
    let app = App::build(config, Arc::new(vault)).await?;
    // Nothing is followed where the environment has the last word.
    let followed = secrets().await?.filter(|_| std::env::var_os("DATABASE_URL").is_none_or(|url| url.is_empty()));
    let _rotation = followed.map(|secrets| Rotation::start(secrets, login, app.databases()));
    let signals = futures_util::stream::poll_fn(move |cx| match terminate.poll_recv(cx) {
        Poll::Pending => interrupt.poll_recv(cx),
        signal @ Poll::Ready(_) => signal,
    });
    app.run(signals).await;
    exporters.stop().await;
    Ok(ExitCode::SUCCESS)
}
