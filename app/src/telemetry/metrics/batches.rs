//! A minute's data as calls of PutMetricData, each within the limits of the API.

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};

use super::catalogue::Unit;
use super::collector::Datum;

/// Data that a call takes.
const DATA_IN_A_CALL: usize = 1_000;
/// Bytes that a call takes are a million before compression; the rest is for what is around the data.
const BYTES_IN_A_CALL: usize = 900_000;
/// At the most, of a datum without its names and values: field names, time, unit.
const BYTES_OF_A_DATUM: usize = 160;
/// Of a value and its count.
const BYTES_OF_A_VALUE: usize = 18;

/// The data of one call.
pub(super) type Batch = Vec<MetricDatum>;

/// As few calls as the limits allow.
pub(super) fn batches(data: Vec<Datum>, at: DateTime) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    let mut bytes = 0;
    for datum in data {
        let size = size(&datum);
        match batches.last_mut() {
            Some(batch) if batch.len() < DATA_IN_A_CALL && bytes + size <= BYTES_IN_A_CALL => {
                bytes += size;
                batch.push(told(datum, at));
            }
            _ => {
                bytes = size;
                batches.push(vec![told(datum, at)]);
            }
        }
    }
    batches
}

fn size(datum: &Datum) -> usize {
    let dimensions: usize = datum.dimensions.iter().map(|(name, value)| name.len() + value.len() + 20).sum();
    BYTES_OF_A_DATUM + datum.name.len() + dimensions + BYTES_OF_A_VALUE * datum.values.len()
}

fn told(datum: Datum, at: DateTime) -> MetricDatum {
    let dimension = |(name, value): &(&str, &str)| Dimension::builder().name(*name).value(*value).build();
    MetricDatum::builder()
        .metric_name(datum.name)
        .set_dimensions(Some(datum.dimensions.iter().map(dimension).collect()))
        .timestamp(at)
        .set_values(Some(datum.values))
        .set_counts(Some(datum.counts))
        .unit(match datum.unit {
            Unit::Count => StandardUnit::Count,
            Unit::Bytes => StandardUnit::Bytes,
            Unit::Seconds => StandardUnit::Seconds,
            Unit::Milliseconds => StandardUnit::Milliseconds,
        })
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datum(values: usize) -> Datum {
        let (values, counts) = (vec![1.0; values], vec![1.0; values]);
        Datum {
            name: "RequestLatency",
            unit: Unit::Milliseconds,
            dimensions: vec![("Provider", "plan")],
            values,
            counts,
        }
    }

    #[test]
    fn a_call_has_a_thousand_data_at_the_most() {
        let sizes: Vec<_> = batches(vec![datum(1); 2_001], DateTime::from_secs(0)).iter().map(Vec::len).collect();
        assert_eq!(sizes, [1_000, 1_000, 1]);
    }

    #[test]
    fn a_call_has_a_megabyte_at_the_most() {
        let batches = batches(vec![datum(150); 1_000], DateTime::from_secs(0));
        assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), 1_000);
        // A value is nine bytes of CBOR, and so is its count.
        assert!(batches.len() > 1 && batches.iter().all(|batch| batch.len() * 150 * 18 < 1_000_000));
    }

    #[test]
    fn nothing_is_no_call() {
        assert!(batches(Vec::new(), DateTime::from_secs(0)).is_empty());
    }
}
