//! What has been counted: one cell for every series of the catalogue, made at the start and never again.
//!
//! A name or a label that is not in the catalogue finds no cell and counts nothing, so nobody can make the registry grow.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use super::catalogue::{Kind, METRICS, Metric};
use super::distribution::Distribution;

/// All series; cheap to clone.
#[derive(Clone, Debug)]
pub struct Registry(Arc<Cells>);

#[derive(Debug)]
struct Cells {
    series: Vec<Series>,
    by_key: HashMap<Key, usize>,
}

/// One metric with one value for each of its labels.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) metric: &'static Metric,
    /// In the order of the metric's labels.
    pub(super) values: Vec<&'static str>,
    pub(super) cell: Cell,
}

/// Where the numbers are.
#[derive(Debug)]
pub(super) enum Cell {
    Counter(Arc<AtomicU64>),
    /// The bits of a floating-point number.
    Gauge(Arc<AtomicU64>),
    Distribution(Arc<Distribution>),
}

impl Registry {
    /// Nothing has been counted. `keeps_minutes`: somebody takes the values of each minute away.
    pub fn new(keeps_minutes: bool) -> Self {
        let series: Vec<Series> = METRICS
            .iter()
            .flat_map(|metric| {
                combinations(metric).into_iter().map(move |values| {
                    let cell = match metric.kind {
                        Kind::Counter => Cell::Counter(Arc::default()),
                        Kind::Gauge => Cell::Gauge(Arc::default()),
                        Kind::Distribution => Cell::Distribution(Arc::new(Distribution::new(keeps_minutes))),
                    };
                    Series { metric, values, cell }
                })
            })
            .collect();
        let by_key = series.iter().enumerate().map(|(index, series)| (series.key(), index)).collect();
        Self(Arc::new(Cells { series, by_key }))
    }

    /// In the order of the catalogue.
    pub(super) fn series(&self) -> &[Series] {
        &self.0.series
    }

    fn cell(&self, key: &Key) -> Option<&Cell> {
        self.0.by_key.get(key).map(|index| &self.0.series[*index].cell)
    }
}

impl Series {
    fn key(&self) -> Key {
        let labels = self.metric.labels.iter().zip(&self.values);
        Key::from_parts(
            self.metric.key,
            labels.map(|(label, value)| metrics::Label::new(label.key, *value)).collect::<Vec<_>>(),
        )
    }
}

/// Every choice of a value for each label.
fn combinations(metric: &Metric) -> Vec<Vec<&'static str>> {
    metric.labels.iter().fold(vec![Vec::new()], |chosen, label| {
        let values = (label.values)();
        let with = |before: &Vec<&'static str>| {
            let before = before.clone();
            values.clone().into_iter().map(move |value| [&before[..], &[value]].concat())
        };
        chosen.iter().flat_map(with).collect()
    })
}

impl Recorder for Registry {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        match self.cell(key) {
            Some(Cell::Counter(cell)) => Counter::from_arc(Arc::clone(cell)),
            _ => Counter::noop(),
        }
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        match self.cell(key) {
            Some(Cell::Gauge(cell)) => Gauge::from_arc(Arc::clone(cell)),
            _ => Gauge::noop(),
        }
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        match self.cell(key) {
            Some(Cell::Distribution(cell)) => Histogram::from_arc(Arc::clone(cell)),
            _ => Histogram::noop(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use metrics::{counter, with_local_recorder};

    use super::*;

    #[test]
    fn what_is_not_in_the_catalogue_counts_nothing() {
        let registry = Registry::new(false);
        let before = registry.series().len();
        with_local_recorder(&registry, || {
            for name in ["minted_by_a_client", "request_count"] {
                counter!(name, "provider" => "someone").increment(1);
                counter!(name).increment(1);
            }
            counter!("request_count", "provider" => "plan").increment(1);
        });
        let counted: u64 = registry
            .series()
            .iter()
            .filter_map(
                |series| if let Cell::Counter(cell) = &series.cell { Some(cell.load(Ordering::Relaxed)) } else { None },
            )
            .sum();
        assert_eq!((counted, registry.series().len()), (1, before));
    }
}
