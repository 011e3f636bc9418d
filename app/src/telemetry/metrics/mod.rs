//! Metrics on their way out: what is counted goes to Amazon CloudWatch once a minute, and to Prometheus when it asks.

mod batches;
pub mod catalogue;
mod cloudwatch;
mod collector;
mod distribution;
mod outbox;
mod prometheus;
mod registry;
mod server;
mod values;

use std::net::SocketAddr;

use aws_sdk_cloudwatch::Client;

pub use cloudwatch::{CloudWatch, MINUTE};
pub use registry::Registry;
pub use server::MetricsServer;

use crate::aws;
use crate::config::{AwsConfig, MetricsConfig};
use crate::telemetry::standing::{Standing, State};

/// Everything that takes metrics away; nothing, unless a setting says so.
#[derive(Debug, Default)]
pub struct Exporters {
    server: Option<MetricsServer>,
    cloudwatch: Option<CloudWatch>,
}

impl Exporters {
    /// Begins to count for the whole process, and to take away what is counted.
    ///
    /// # Errors
    /// When the port of `METRICS_ADDR` is taken.
    pub async fn start(config: &MetricsConfig, aws: &AwsConfig, http: reqwest::Client) -> anyhow::Result<Self> {
        if !config.cloudwatch && config.listen.is_none() {
            return Ok(Self::default());
        }
        let registry = Registry::new(config.cloudwatch);
        let server = match config.listen {
            Some(listen) => Some(MetricsServer::start(listen, registry.clone()).await?),
            None => None,
        };
        // Fails only when a recorder is set already, which then stays.
        let _ = ::metrics::set_global_recorder(registry.clone());
        let aws = aws.clone();
        let client = async move { Client::new(&aws::sdk_config(http, &aws).await) };
        let cloudwatch = config.cloudwatch.then(|| CloudWatch::start(registry, client, MINUTE));
        Ok(Self { server, cloudwatch })
    }

    /// Where Prometheus may ask.
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(MetricsServer::address)
    }

    /// How CloudWatch was when it was last sent something.
    pub fn standing(&self) -> Standing {
        self.cloudwatch.as_ref().map_or_else(|| Standing::new(State::Unused), CloudWatch::standing)
    }

    /// Sends what has been counted since the last minute, within a few seconds, and ends.
    pub async fn stop(self) {
        if let Some(cloudwatch) = self.cloudwatch {
            cloudwatch.stop().await;
        }
        if let Some(server) = self.server {
            server.stop().await;
        }
    }
}
