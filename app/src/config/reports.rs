//! Settings of the sums of usage: where their days begin, and how long the finest are kept.

use std::time::Duration;

use chrono_tz::Tz;

use super::env::Environment;
use super::variables as var;

/// How usage is summed up.
#[derive(Clone, Copy, Debug)]
pub struct ReportConfig {
    /// `REPORT_TIMEZONE`
    pub zone: Tz,
    /// `MINUTE_AGGREGATES_KEPT`
    pub minutes_kept: Duration,
}

impl ReportConfig {
    /// Reads what a role needs that writes or checks the sums.
    pub fn read(env: &mut Environment<'_>) -> Option<Self> {
        let zone = env.parse(&var::REPORT_TIMEZONE, zone);
        let minutes_kept = env.duration(&var::MINUTE_AGGREGATES_KEPT);
        Some(Self { zone: zone?, minutes_kept: minutes_kept? })
    }
}

/// Short names are not taken: `CET` is a zone with summer time to some and a fixed offset to PostgreSQL.
fn zone(text: &str) -> Result<Tz, &'static str> {
    match text.parse() {
        Ok(zone) if zone == Tz::UTC || text.contains('/') => Ok(zone),
        _ => Err("is no time zone of the IANA database by its full name; write it like Europe/Berlin, or UTC"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ReportConfig, String> {
        let lookup = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let mut env = Environment::new(lookup);
        let reports = ReportConfig::read(&mut env);
        env.finish().map_err(|problems| problems.to_string())?;
        Ok(reports.unwrap())
    }

    #[test]
    fn days_are_those_of_utc_and_minutes_are_kept_for_a_fortnight() {
        let reports = read(&[]).unwrap();
        assert_eq!((reports.zone, reports.minutes_kept), (Tz::UTC, Duration::from_hours(14 * 24)));
    }

    #[test]
    fn a_zone_has_its_full_name() {
        assert_eq!(read(&[("REPORT_TIMEZONE", "Asia/Kathmandu")]).unwrap().zone, Tz::Asia__Kathmandu);
        for wrong in ["CET", "EST5EDT", "Cuba", "utc", "Europe/Berln", "europe/berlin", "+01:00", "Berlin"] {
            let told = read(&[("REPORT_TIMEZONE", wrong)]).unwrap_err();
            assert!(told.contains(&format!("REPORT_TIMEZONE=\"{wrong}\"")) && told.contains("Europe/Berlin"), "{told}");
        }
    }
}
