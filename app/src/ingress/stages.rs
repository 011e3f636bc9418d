//! The stages of a shutdown, and when each begins. None is ever taken back.

use futures_util::{Stream, StreamExt as _};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::LimitConfig;

/// Signs that everything which has to know of a shutdown looks at.
#[derive(Clone, Debug, Default)]
pub struct Stages {
    /// The load balancer shall go elsewhere: `/health` answers 503, connections end with their next answer.
    pub draining: CancellationToken,
    /// The listener closes, and idle connections with it.
    pub closing: CancellationToken,
    /// Time is up: whatever still runs is told so and ended.
    pub ending: CancellationToken,
}

impl Stages {
    /// Begins one stage after the other from the first signal on. A second signal cuts the drain delay short.
    pub async fn conduct(&self, signals: impl Stream<Item = ()>, limits: LimitConfig) {
        let mut signals = std::pin::pin!(signals.chain(futures_util::stream::pending()));
        signals.next().await;
        let over = Instant::now() + limits.shutdown;
        self.draining.cancel();
        tracing::info!(delay = %humantime::format_duration(limits.drain_delay), "draining: /health answers 503");
        tokio::select! {
            () = tokio::time::sleep(limits.drain_delay) => {}
            _ = signals.next() => tracing::info!("a second signal: the delay is cut short"),
        }
        self.closing.cancel();
        let left = over.saturating_duration_since(Instant::now());
        tracing::info!(limit = %humantime::format_duration(left), "closing: running requests may finish");
        tokio::time::sleep_until(over).await;
        self.ending.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn limits() -> LimitConfig {
        LimitConfig {
            in_flight: 1,
            key_requests_per_minute: None,
            head: Duration::from_secs(1),
            keep_alive: Duration::from_secs(1),
            drain_delay: Duration::from_secs(10),
            shutdown: Duration::from_secs(110),
        }
    }

    /// The seconds after the start at which the stages began.
    async fn times(signals: impl Stream<Item = ()>) -> [u64; 3] {
        let stages = Stages::default();
        let start = Instant::now();
        let at = |sign: CancellationToken| async move {
            sign.cancelled().await;
            start.elapsed().as_secs()
        };
        let (draining, closing, ending, ()) = tokio::join!(
            at(stages.draining.clone()),
            at(stages.closing.clone()),
            at(stages.ending.clone()),
            stages.conduct(signals, limits()),
        );
        [draining, closing, ending]
    }

    fn signals_at(seconds: &'static [u64]) -> impl Stream<Item = ()> {
        let start = Instant::now();
        futures_util::stream::iter(seconds)
            .then(move |second| tokio::time::sleep_until(start + Duration::from_secs(*second)))
    }

    #[tokio::test(start_paused = true)]
    async fn the_whole_is_counted_from_the_signal() {
        assert_eq!(times(signals_at(&[5])).await, [5, 15, 115]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_signal_ends_the_delay_and_nothing_else() {
        assert_eq!(times(signals_at(&[5, 7])).await, [5, 7, 115]);
        assert_eq!(times(signals_at(&[5, 20])).await, [5, 15, 115]);
    }
}
