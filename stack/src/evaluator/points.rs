//! From what was published in each minute to a point for each period.

/// The values that were published in a minute; none: nobody published.
pub type Minute = Vec<f64>;

/// A point for each whole period of so many minutes; one in which nothing was published is missing.
pub fn points(minutes: &[Minute], period: usize, statistic: &str) -> Vec<Option<f64>> {
    minutes.chunks_exact(period).map(|chunk| point(chunk.concat(), statistic)).collect()
}

fn point(mut values: Vec<f64>, statistic: &str) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (smallest, largest) = (values.first()?, values.last()?);
    match statistic {
        "Sum" => Some(values.iter().sum()),
        "Minimum" => Some(*smallest),
        "Maximum" => Some(*largest),
        _ => {
            let percent: usize = statistic.strip_prefix('p')?.parse().ok()?;
            // The smallest value that so many percent do not exceed.
            let rank = (values.len() * percent).div_ceil(100).clamp(1, values.len());
            values.get(rank - 1).copied()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_made_of_its_minutes() {
        let minutes = [vec![1.0, 5.0], vec![], vec![3.0], vec![], vec![], vec![9.0]];
        assert_eq!(points(&minutes, 2, "Sum"), [Some(6.0), Some(3.0), Some(9.0)]);
        assert_eq!(points(&minutes, 3, "Maximum"), [Some(5.0), Some(9.0)]);
        assert_eq!(points(&minutes, 3, "Minimum"), [Some(1.0), Some(9.0)]);
        assert_eq!(points(&minutes[1..5], 1, "Sum"), [None, Some(3.0), None, None]);
        assert_eq!(points(&minutes, 4, "Sum"), [Some(9.0)], "a period that has not ended is none");
    }

    #[test]
    fn a_percentile_is_a_value_that_was_there() {
        let hundred: Minute = (1..=100).map(f64::from).collect();
        assert_eq!(points(&[hundred], 1, "p95"), [Some(95.0)]);
        assert_eq!(points(&[vec![7.0]], 1, "p95"), [Some(7.0)]);
    }
}
