//! A value that grows with another, such as memory with open streams.

/// `base + each * x`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Line {
    pub(super) base: f64,
    pub(super) each: f64,
}

impl Line {
    /// The one with the least squares; none through fewer than two different points.
    pub(super) fn through(points: &[(f64, f64)]) -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "a few")]
        let number = points.len() as f64;
        let (x, y) = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0 / number, sum.1 + point.1 / number));
        let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
        let together: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
        (spread > 0.0).then(|| {
            let each = together / spread;
            Self { base: y - each * x, each }
        })
    }

    /// Where it reaches this height; nowhere if it does not rise.
    pub(super) fn reaches(self, height: f64) -> Option<f64> {
        (self.each > 0.0).then(|| (height - self.base) / self.each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_through_its_points() {
        let line = Line::through(&[(0.0, 30.0), (100.0, 50.0), (200.0, 70.0)]).unwrap();
        assert!((line.base - 30.0).abs() < 1e-9 && (line.each - 0.2).abs() < 1e-9, "{line:?}");
        assert!((line.reaches(130.0).unwrap() - 500.0).abs() < 1e-9);
        assert_eq!(Line::through(&[(1.0, 2.0), (1.0, 3.0)]), None);
    }
}
