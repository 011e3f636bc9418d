//! What the app has counted, seen through the recorder that a test installs for its own thread.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

/// The counters and gauges of an app that runs on this thread, as those of `#[tokio::test]` do.
#[derive(Debug, Default)]
pub struct Counters {
    counted: Mutex<HashMap<String, Arc<AtomicU64>>>,
    gauges: Mutex<HashMap<String, Arc<AtomicU64>>>,
}

impl Counters {
    /// The value of a counter, written like `bedrock_repair{kind=field}`; 0 for one that never counted.
    pub fn get(&self, name: &str) -> u64 {
        self.lock().get(name).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    /// The value of a gauge without labels, rounded up; 0 for one that was never set.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    pub fn gauge(&self, name: &str) -> u64 {
        let gauges = self.gauges.lock().expect("no one panics with this lock");
        gauges.get(name).map_or(0, |gauge| f64::from_bits(gauge.load(Ordering::Relaxed)).ceil() as u64)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<AtomicU64>>> {
        self.counted.lock().expect("no one panics with this lock")
    }
}

impl Recorder for Counters {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<String> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name =
            if labels.is_empty() { key.name().to_owned() } else { format!("{}{{{}}}", key.name(), labels.join(",")) };
        Counter::from_arc(Arc::clone(self.lock().entry(name).or_default()))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let mut gauges = self.gauges.lock().expect("no one panics with this lock");
        Gauge::from_arc(Arc::clone(gauges.entry(key.name().to_owned()).or_default()))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
