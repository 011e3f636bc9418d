//! Ends of ranges as they are asked for: instants, or days of the calendar.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};

use crate::admin::problem::Problem;
use crate::store::ReportEnd;

/// Years in which there can be usage, and which calendars and databases agree on.
pub(super) const YEARS: std::ops::Range<i32> = 2000..3000;

/// Reads the end of a range.
///
/// # Errors
/// When it is neither a date nor an instant, or of another age.
pub(super) fn moment(name: &'static str, text: &str) -> Result<ReportEnd, Problem> {
    let day = text.parse::<NaiveDate>().ok().filter(|_| text.len() == 10).map(ReportEnd::Day);
    let read =
        || day.or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|at| ReportEnd::At(at.with_timezone(&Utc))));
    let told =
        "it is neither a date like 2026-10-31 nor a time like 2026-10-31T12:00:00Z (RFC 3339; in a URL + is %2B)";
    let end = read().ok_or_else(|| Problem::field(name, told))?;
    let year = match end {
        ReportEnd::Day(day) => day.year(),
        ReportEnd::At(instant) => instant.year(),
    };
    if YEARS.contains(&year) {
        Ok(end)
    } else {
        Err(Problem::field(name, "it has to be in the years from 2000 to 2999"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_instants_are_read() {
        let at = |text: &str| ReportEnd::At(text.parse().unwrap());
        assert_eq!(moment("from", "2026-10-31").unwrap(), ReportEnd::Day("2026-10-31".parse().unwrap()));
        assert_eq!(moment("from", "2026-10-31T02:00:00+02:00").unwrap(), at("2026-10-31T00:00:00Z"));
        assert_eq!(moment("from", "2026-10-31T02:00:00.5Z").unwrap(), at("2026-10-31T02:00:00.5Z"));
        for text in
            ["", "now", "2026-10-31T02:00:00", "2026-10-32", "+2026-10-31", "1999-12-31", "3000-01-01", "99999-01-01"]
        {
            let problem = moment("from", text).unwrap_err();
            assert_eq!(problem.fields[0].name, "from", "{text}");
        }
    }
}
