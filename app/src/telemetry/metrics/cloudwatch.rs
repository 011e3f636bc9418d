//! Sends the metrics to Amazon CloudWatch: collected once a minute, tried until it takes them, and never in anybody's way.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::error::SdkError;
use aws_sdk_cloudwatch::operation::put_metric_data::PutMetricDataError;
use aws_sdk_cloudwatch::primitives::DateTime;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::batches::{Batch, batches};
use super::catalogue::NAMESPACE;
use super::collector::Collector;
use super::outbox::Outbox;
use super::registry::Registry;
use crate::aws;
use crate::telemetry::standing::{Standing, State};

/// How often metrics are collected.
pub const MINUTE: Duration = Duration::from_mins(1);
/// How often gauges are looked at.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// After a call that failed with all its tries comes a pause, of this part of the time between two collections.
const PAUSE_PART: u32 = 6;
/// For what is left at the end.
const LAST_CALLS_WITHIN: Duration = Duration::from_secs(5);

/// The tasks that collect and send; end them with [`Self::stop`].
#[derive(Debug)]
pub struct CloudWatch {
    outbox: Arc<Outbox>,
    stop: CancellationToken,
    collecting: JoinHandle<()>,
    sending: JoinHandle<()>,
    standing: Standing,
}

impl CloudWatch {
    /// Starts them. The `client` is made in the background: its region may have to be asked for.
    pub fn start(registry: Registry, client: impl Future<Output = Client> + Send + 'static, every: Duration) -> Self {
        let (outbox, stop) = (Arc::new(Outbox::default()), CancellationToken::new());
        let collecting = tokio::spawn(collect(Collector::new(registry), Arc::clone(&outbox), every, stop.clone()));
        let standing = Standing::new(State::Untried);
        let sender = Sender {
            outbox: Arc::clone(&outbox),
            failing: false,
            pause: every / PAUSE_PART,
            stop: stop.clone(),
            standing: standing.clone(),
        };
        let sending = tokio::spawn(async move { sender.run(client.await).await });
        Self { outbox, stop, collecting, sending, standing }
    }

    /// How CloudWatch was when it was last sent something.
    pub fn standing(&self) -> Standing {
        self.standing.clone()
    }

    /// Collects once more, sends what waits, within five seconds, and ends.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let ended = async { tokio::join!(&mut self.collecting, &mut self.sending) };
        if tokio::time::timeout(LAST_CALLS_WITHIN, ended).await.is_err() {
            self.sending.abort();
            // The one that was under way is none of those that wait.
            let batches = self.outbox.len() + 1;
            tracing::warn!(batches, "metrics are lost: CloudWatch did not take them before the end");
        }
    }
}

impl Drop for CloudWatch {
    fn drop(&mut self) {
        self.collecting.abort();
        self.sending.abort();
    }
}

/// Collects every minute, and once more at the end.
async fn collect(mut collector: Collector, outbox: Arc<Outbox>, every: Duration, stop: CancellationToken) {
    let start = tokio::time::Instant::now();
    let mut samples = tokio::time::interval_at(start, SAMPLE_EVERY);
    let mut minutes = tokio::time::interval_at(start + every, every);
    for ticks in [&mut samples, &mut minutes] {
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    }
    loop {
        let last = tokio::select! {
            biased;
            () = stop.cancelled() => true,
            _ = minutes.tick() => false,
            _ = samples.tick() => {
                collector.sample();
                continue;
            }
        };
        for batch in batches(collector.collect(), DateTime::from(SystemTime::now())) {
            outbox.push(batch);
        }
        if last {
            outbox.close();
            return;
        }
    }
}

struct Sender {
    outbox: Arc<Outbox>,
    /// Whether the last call failed, which is told when it changes.
    failing: bool,
    pause: Duration,
    stop: CancellationToken,
    standing: Standing,
}

impl Sender {
    async fn run(mut self, client: Client) {
        while let Some(batch) = self.outbox.next().await {
            let call = client.put_metric_data().namespace(NAMESPACE).set_metric_data(Some(batch.clone()));
            let sent = call.send().await;
            self.standing.note(sent.is_ok());
            match sent {
                Ok(_) => self.succeeded(),
                Err(error) => self.failed(batch, &error).await,
            }
        }
    }

    fn succeeded(&mut self) {
        if std::mem::take(&mut self.failing) {
            tracing::info!("CloudWatch takes the metrics again");
        }
        let batches = self.outbox.take_lost();
        if batches > 0 {
            tracing::warn!(batches, "metrics were lost while CloudWatch did not take them");
        }
    }

    async fn failed(&mut self, batch: Batch, error: &SdkError<PutMetricDataError>) {
        let code = aws::code(error);
        if is_about_the_data(error) {
            tracing::error!(code, data = batch.len(), "CloudWatch refuses metrics; they are lost");
            return;
        }
        self.outbox.put_back(batch);
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!(code, "CloudWatch does not take the metrics; they wait, half an hour at the most");
        }
        // At the end there is no time for pauses; the SDK makes its own between its tries.
        let pause = if self.stop.is_cancelled() { Duration::from_millis(100) } else { self.pause };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.stop.cancelled(), if !self.stop.is_cancelled() => {}
        }
    }
}

/// Whether it would be refused again.
fn is_about_the_data(error: &SdkError<PutMetricDataError>) -> bool {
    error.as_service_error().is_some_and(|error| {
        error.is_invalid_parameter_value_exception()
            || error.is_invalid_parameter_combination_exception()
            || error.is_missing_required_parameter_exception()
    })
}
