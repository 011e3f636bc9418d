//! Turns what has been counted into a minute's worth of data as CloudWatch wants it. Does no IO.

use std::sync::atomic::Ordering;

use super::catalogue::{Kind, METRICS, Metric, Split, Unit};
use super::distribution::whole;
use super::registry::{Cell, Registry, Series};
use super::values::Values;

/// Different values that one datum takes.
const VALUES_IN_A_DATUM: usize = 150;

/// What has happened to one metric in a minute.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Datum {
    pub(super) name: &'static str,
    pub(super) unit: Unit,
    /// Name and value.
    pub(super) dimensions: Vec<(&'static str, &'static str)>,
    pub(super) values: Vec<f64>,
    /// How often each value came.
    pub(super) counts: Vec<f64>,
}

/// Remembers what has been told already.
#[derive(Debug)]
pub(super) struct Collector {
    registry: Registry,
    /// For each series, in their order.
    seen: Vec<Seen>,
}

/// Of a counter how far it has been told, of a gauge how it was.
#[derive(Clone, Debug, Default)]
struct Seen {
    told: u64,
    samples: Values,
}

impl Collector {
    pub(super) fn new(registry: Registry) -> Self {
        let seen = vec![Seen::default(); registry.series().len()];
        Self { registry, seen }
    }

    /// Looks at the gauges.
    pub(super) fn sample(&mut self) {
        for (series, seen) in self.registry.series().iter().zip(&mut self.seen) {
            if let Cell::Gauge(cell) = &series.cell {
                seen.samples.add(whole(f64::from_bits(cell.load(Ordering::Relaxed))));
            }
        }
    }

    /// Everything since the last time.
    pub(super) fn collect(&mut self) -> Vec<Datum> {
        let minute: Vec<(&Series, Values)> = self
            .registry
            .series()
            .iter()
            .zip(&mut self.seen)
            .map(|(series, seen)| (series, since(series, seen)))
            .collect();
        METRICS.iter().flat_map(|metric| metric.splits.iter().flat_map(|split| data(metric, split, &minute))).collect()
    }
}

fn since(series: &Series, seen: &mut Seen) -> Values {
    match &series.cell {
        Cell::Counter(cell) => {
            let now = cell.load(Ordering::Relaxed);
            let mut grown = Values::default();
            grown.add(now - std::mem::replace(&mut seen.told, now));
            grown
        }
        Cell::Gauge(_) => std::mem::take(&mut seen.samples),
        Cell::Distribution(cell) => cell.take_minute(),
    }
}

/// The data of a metric under one set of dimensions.
fn data(metric: &'static Metric, split: &Split, minute: &[(&Series, Values)]) -> Vec<Datum> {
    let mut groups: Vec<(Vec<(&'static str, &'static str)>, Values)> = Vec::new();
    for (series, values) in minute.iter().filter(|(series, _)| std::ptr::eq(series.metric, metric)) {
        let labels = metric.labels.iter().zip(&series.values);
        let of_split = labels.filter(|(label, _)| split.by.contains(&label.key));
        let dimensions: Vec<_> = of_split.map(|(label, value)| (label.dimension, *value)).collect();
        match groups.iter_mut().find(|(known, _)| *known == dimensions) {
            Some((_, sum)) => *sum = joined(metric.kind, sum, values),
            None => groups.push((dimensions, values.clone())),
        }
    }
    let nothing = |values: &Values| values.iter().all(|(value, _)| value == 0);
    groups.retain(|(_, values)| split.zeros || !nothing(values));
    groups.into_iter().flat_map(|(dimensions, values)| chunks(metric, &dimensions, &values)).collect()
}

/// Growths are added up, values stay what they are.
fn joined(kind: Kind, one: &Values, other: &Values) -> Values {
    if kind == Kind::Counter {
        let mut sum = Values::default();
        sum.add(one.iter().chain(other.iter()).map(|(value, _)| value).sum());
        return sum;
    }
    let mut both = one.clone();
    both.merge(other);
    both
}

fn chunks(metric: &'static Metric, dimensions: &[(&'static str, &'static str)], values: &Values) -> Vec<Datum> {
    #[expect(clippy::cast_precision_loss, reason = "CloudWatch takes floating-point numbers, exact enough up to 2^53")]
    let pairs: Vec<(f64, f64)> = values.iter().map(|(value, times)| (value as f64, times as f64)).collect();
    let datum = |pairs: &[(f64, f64)]| {
        let (values, counts) = pairs.iter().copied().unzip();
        Datum { name: metric.name, unit: metric.unit, dimensions: dimensions.to_vec(), values, counts }
    };
    pairs.chunks(VALUES_IN_A_DATUM).map(datum).collect()
}

#[cfg(test)]
mod tests;
