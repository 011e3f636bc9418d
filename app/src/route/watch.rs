//! Makes visible how many providers are not asked. A breaker opens and half-opens by the clock alone, so it is looked at.

use std::time::{Duration, Instant};

use super::circuits::Circuits;
use crate::telemetry::counters;

const EVERY: Duration = Duration::from_secs(1);

/// Never returns.
pub async fn watch(circuits: Circuits) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        counters::open_circuits(circuits.open_providers(Instant::now()));
    }
}
