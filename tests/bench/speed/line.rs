//! One thing that was measured, for each way, and the target that it is held to.

use crate::statistics::median;

/// What a target is about.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Limit {
    /// At most so many times what nginx takes.
    TimesNginx(f64),
    /// At most so much more than without anything in between.
    AboveDirect(f64),
    /// At most so much.
    AtMost(f64),
    /// Told, and held to nothing.
    None,
}

/// A line of the table, and a group of bars in the picture.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// What was measured.
    pub(crate) what: String,
    /// In what.
    pub(crate) unit: &'static str,
    /// Without anything in between; medians of the rounds, as the following.
    pub(crate) direct: Option<f64>,
    /// Through nginx.
    pub(crate) nginx: Option<f64>,
    /// Through the proxy.
    pub(crate) proxy: f64,
    /// The target.
    pub(crate) limit: Limit,
}

impl Line {
    /// A line from the values of all rounds; a way without any was not measured.
    pub(crate) fn of(what: impl Into<String>, unit: &'static str, rounds: [&[f64]; 3], limit: Limit) -> Self {
        let [direct, nginx, proxy] = rounds.map(|values| (!values.is_empty()).then(|| median(values)));
        Self { what: what.into(), unit, direct, nginx, proxy: proxy.unwrap_or_default(), limit }
    }

    /// What the target is held against, in words, and whether it holds.
    pub(crate) fn judged(&self) -> (String, String, &'static str) {
        let says = |value: f64, limit: f64| if value <= limit { "yes" } else { "no" };
        match (self.limit, self.nginx, self.direct) {
            (Limit::TimesNginx(limit), Some(nginx), _) if nginx > 0.0 => {
                let ratio = self.proxy / nginx;
                (format!("{ratio:.2} × nginx"), format!("{limit:.1} × nginx"), says(ratio, limit))
            }
            (Limit::AboveDirect(limit), _, Some(direct)) => {
                let added = self.proxy - direct;
                (format!("{added:+.2} {}", self.unit), format!("{limit:+.2} {}", self.unit), says(added, limit))
            }
            (Limit::AtMost(limit), ..) => {
                (told(self.proxy), format!("{} {}", told(limit), self.unit), says(self.proxy, limit))
            }
            (_, Some(nginx), _) if nginx > 0.0 => (format!("{:.2} × nginx", self.proxy / nginx), String::new(), ""),
            _ => (String::new(), String::new(), ""),
        }
    }

    /// The most that the proxy's own value may be for the target to hold.
    pub(crate) fn allowed(&self) -> Option<f64> {
        match self.limit {
            Limit::TimesNginx(limit) => self.nginx.map(|nginx| nginx * limit),
            Limit::AboveDirect(limit) => self.direct.map(|direct| direct + limit),
            Limit::AtMost(limit) => Some(limit),
            Limit::None => None,
        }
    }

    /// The cells of its row.
    pub(crate) fn cells(&self) -> Vec<String> {
        let (value, target, holds) = self.judged();
        let or_nothing = |value: Option<f64>| value.map(told).unwrap_or_default();
        vec![
            self.what.clone(),
            self.unit.to_owned(),
            or_nothing(self.direct),
            or_nothing(self.nginx),
            told(self.proxy),
            value,
            target,
            holds.to_owned(),
        ]
    }
}

/// The names of the columns.
pub(crate) const HEAD: [&str; 8] = ["what", "unit", "direct", "nginx", "proxy", "comparison", "target", "holds"];

/// Three digits or so, which is more than the measurements are worth.
pub(crate) fn told(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_is_held_against_its_own_value() {
        let line = |limit| Line::of("x", "ms", [&[1.0], &[2.0], &[2.5, 3.5]], limit);
        assert_eq!(line(Limit::TimesNginx(1.5)).judged(), ("1.50 × nginx".into(), "1.5 × nginx".into(), "yes"));
        assert_eq!(line(Limit::AboveDirect(1.0)).judged(), ("+2.00 ms".into(), "+1.00 ms".into(), "no"));
        assert_eq!(line(Limit::AtMost(3.0)).judged(), ("3.00".into(), "3.00 ms".into(), "yes"));
        assert_eq!(line(Limit::None).judged().2, "");
        assert_eq!(line(Limit::TimesNginx(1.5)).allowed(), Some(3.0));
    }
}
