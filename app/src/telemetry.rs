//! What the process says of itself: the log, one JSON object a line, and the metrics.

pub mod counters;
pub mod metrics;
pub mod standing;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::config::LogFilter;

/// Target of the `request` and `usage` lines, which are records and not messages: every level lets them through.
pub const RECORDS: &str = "claude_code_proxy::records";
/// Logs at `error` what it also returns as an error, which is where it is told from.
const AWS: &str = "aws_smithy";

/// A subscriber that writes to `writer`. The span of a request, with its id, is part of each of its lines.
pub fn subscriber<W>(filter: &LogFilter, writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_writer(writer);
    let filter = filter.targets().with_target(RECORDS, LevelFilter::INFO).with_target(AWS, LevelFilter::OFF);
    tracing_subscriber::registry().with(lines).with(filter)
}

/// Logs to stdout from now on, for the life of the process.
pub fn log_to_stdout(filter: &LogFilter) {
    // Fails only when a subscriber is set already, which then stays.
    let _ = tracing::subscriber::set_global_default(subscriber(filter, std::io::stdout));
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn records_and_ids_are_logged_at_every_level() {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing::subscriber::with_default(subscriber(&"error".parse().unwrap(), move || writer.clone()), || {
            let _entered = tracing::error_span!("request", request_id = "r-1").entered();
            tracing::info!(target: RECORDS, "usage");
            tracing::info!("not at this level");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(text.lines().count() == 1 && text.contains("usage") && text.contains("r-1"), "{text}");
    }

    #[test]
    fn every_line_of_a_request_is_json_and_names_its_id() {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing::subscriber::with_default(subscriber(&"info".parse().unwrap(), move || writer.clone()), || {
            let _entered = tracing::info_span!("request", request_id = "r-1").entered();
            tracing::info!(status = 200, "request");
            tracing::debug!("not at this level");
            tracing::info!(target: "hyper", "a library, below warn");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let parsed: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(parsed.len(), 1, "{text}");
        assert_eq!((&parsed[0]["span"]["request_id"], &parsed[0]["status"]), (&"r-1".into(), &200.into()));
    }
}
