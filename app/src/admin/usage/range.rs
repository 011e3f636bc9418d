//! The range of a report: a period with a name, or from here to there.

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, TimeDelta, Utc};
use poem_openapi::Enum;

use super::moment::moment;
use crate::admin::problem::Problem;
use crate::store::{ReportClock, ReportEnd};

/// Days of which all rows may be read: a quarter of a year.
const DAYS_OF_ROWS: i64 = 93;

/// A period, by the calendar of the zone of the sums. Those that begin with `this` go until now.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case")]
pub(super) enum Period {
    /// Since midnight.
    Today,
    /// The day before.
    Yesterday,
    /// Since Monday.
    ThisWeek,
    /// The week before.
    LastWeek,
    /// Since the first of the month.
    ThisMonth,
    /// The same as `this_month`.
    Month,
    /// The month before.
    LastMonth,
    /// Since the first of January.
    ThisYear,
    /// The year before.
    LastYear,
    /// Today and the 6 days before.
    #[oai(rename = "last_7_days")]
    Last7Days,
    /// Today and the 29 days before.
    #[oai(rename = "last_30_days")]
    Last30Days,
    /// Today and the 89 days before.
    #[oai(rename = "last_90_days")]
    Last90Days,
}

/// A range as it is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    Period(Period),
    /// Until now, where no end is given.
    Explicit(ReportEnd, Option<ReportEnd>),
}

impl Asked {
    /// What the parameters ask for.
    ///
    /// # Errors
    /// When they cannot be read, or contradict each other.
    pub(super) fn read(
        period: Option<Period>,
        from: Option<&str>,
        to: Option<&str>,
        otherwise: Period,
    ) -> Result<Self, Problem> {
        let from = from.map(|text| moment("from", text)).transpose()?;
        let to = to.map(|text| moment("to", text)).transpose()?;
        match (period, from, to) {
            (_, None, None) => Ok(Self::Period(period.unwrap_or(otherwise))),
            (None, Some(from), to) => Ok(Self::Explicit(from, to)),
            (None, None, Some(_)) => Err(Problem::field("from", "it is missing; `to` goes only with it")),
            (Some(_), ..) => {
                Err(Problem::field("period", "it does not go with `from` and `to`; give one or the other"))
            }
        }
    }

    /// From where to where that goes now.
    pub(super) fn ends(self, clock: &ReportClock) -> (ReportEnd, ReportEnd) {
        match self {
            Self::Period(period) => match period.days(clock.today) {
                (first, Some(last)) => (ReportEnd::Day(first), ReportEnd::Day(last)),
                (first, None) => (ReportEnd::Day(first), ReportEnd::At(clock.now)),
            },
            Self::Explicit(from, to) => (from, to.unwrap_or(ReportEnd::At(clock.now))),
        }
    }
}

impl Period {
    /// Its first day, and its last one if it is over.
    fn days(self, today: NaiveDate) -> (NaiveDate, Option<NaiveDate>) {
        let before = |day: NaiveDate, days: u64| day - Days::new(days);
        let monday = before(today, u64::from(today.weekday().num_days_from_monday()));
        let first = before(today, u64::from(today.day0()));
        let new_year = before(today, u64::from(today.ordinal0()));
        match self {
            Self::Today => (today, None),
            Self::Yesterday => (before(today, 1), Some(before(today, 1))),
            Self::ThisWeek => (monday, None),
            Self::LastWeek => (before(monday, 7), Some(before(monday, 1))),
            Self::ThisMonth | Self::Month => (first, None),
            Self::LastMonth => (first - Months::new(1), Some(before(first, 1))),
            Self::ThisYear => (new_year, None),
            Self::LastYear => (new_year - Months::new(12), Some(before(new_year, 1))),
            Self::Last7Days => (before(today, 6), None),
            Self::Last30Days => (before(today, 29), None),
            Self::Last90Days => (before(today, 89), None),
        }
    }
}

/// Nothing ends before it begins.
///
/// # Errors
/// When it does.
pub(super) fn forward((since, until): (DateTime<Utc>, DateTime<Utc>)) -> Result<(), Problem> {
    let told = || {
        let seconds = chrono::SecondsFormat::Secs;
        let [from, to] = [since, until].map(|instant| instant.to_rfc3339_opts(seconds, true));
        Problem::field("to", format!("the range from {from} to {to} has nothing in it; `to` has to be after `from`"))
    };
    if since < until { Ok(()) } else { Err(told()) }
}

/// A report from rows is either about a few of them, or short.
///
/// # Errors
/// When it is neither.
pub(super) fn readable(range: (DateTime<Utc>, DateTime<Utc>), about_few: bool, words: &str) -> Result<(), Problem> {
    let days = (range.1 - range.0).num_days();
    // An hour for a change of the clock.
    if about_few || range.1 - range.0 <= TimeDelta::days(DAYS_OF_ROWS) + TimeDelta::hours(1) {
        return Ok(());
    }
    let told = format!(
        "the range has {days} days, and single requests of everybody are read of {DAYS_OF_ROWS} days at the most; {words}"
    );
    Err(Problem::field("from", told))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn periods_are_those_of_the_calendar() {
        for (period, today, first, last) in [
            (Period::Today, "2026-03-01", "2026-03-01", None),
            (Period::Yesterday, "2026-03-01", "2026-02-28", Some("2026-02-28")),
            (Period::ThisWeek, "2026-03-01", "2026-02-23", None),
            (Period::ThisWeek, "2026-03-02", "2026-03-02", None),
            (Period::LastWeek, "2026-03-01", "2026-02-16", Some("2026-02-22")),
            (Period::Month, "2026-03-01", "2026-03-01", None),
            (Period::ThisMonth, "2026-03-31", "2026-03-01", None),
            (Period::LastMonth, "2026-03-31", "2026-02-01", Some("2026-02-28")),
            (Period::LastMonth, "2026-01-05", "2025-12-01", Some("2025-12-31")),
            (Period::ThisYear, "2028-12-31", "2028-01-01", None),
            (Period::LastYear, "2028-02-29", "2027-01-01", Some("2027-12-31")),
            (Period::Last7Days, "2026-03-01", "2026-02-23", None),
            (Period::Last30Days, "2026-03-01", "2026-01-31", None),
            (Period::Last90Days, "2026-03-31", "2026-01-01", None),
        ] {
            assert_eq!(period.days(day(today)), (day(first), last.map(day)), "{period:?} on {today}");
        }
    }

    #[test]
    fn a_period_and_ends_contradict_each_other() {
        let read = |period, from, to| Asked::read(period, from, to, Period::ThisMonth);
        assert_eq!(read(None, None, None).unwrap(), Asked::Period(Period::ThisMonth));
        assert_eq!(
            read(None, Some("2026-03-01"), None).unwrap(),
            Asked::Explicit(ReportEnd::Day(day("2026-03-01")), None)
        );
        for (period, from, to, field) in [
            (Some(Period::Today), Some("2026-03-01"), None, "period"),
            (Some(Period::Today), None, Some("2026-03-01"), "period"),
            (None, None, Some("2026-03-01"), "from"),
            (None, Some("x"), None, "from"),
            (None, Some("2026-03-01"), Some("x"), "to"),
        ] {
            assert_eq!(read(period, from, to).unwrap_err().fields[0].name, field);
        }
    }
}
