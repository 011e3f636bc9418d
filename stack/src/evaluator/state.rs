//! The state of an alarm from its last points, some of which may be missing.

/// What an alarm says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// All is well.
    Ok,
    /// It is not.
    Alarm,
    /// Nobody can say.
    InsufficientData,
}

/// What a missing point counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// As bad.
    Breaching,
    /// As good.
    NotBreaching,
    /// The state stays.
    Ignore,
    /// As nothing.
    Missing,
}

impl Missing {
    /// The word of a template; none is CloudFormation's default.
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        match word {
            "breaching" => Ok(Self::Breaching),
            "notBreaching" => Ok(Self::NotBreaching),
            "ignore" => Ok(Self::Ignore),
            "missing" | "" => Ok(Self::Missing),
            other => Err(format!("`{other}` is no way to treat missing data")),
        }
    }
}

/// The state after a range of points, the oldest first: which of them breach. The range is longer than the `periods` that
/// count, so that older points stand in for missing ones.
pub fn state(range: &[Option<bool>], periods: usize, to_alarm: usize, missing: Missing, before: State) -> State {
    let there: Vec<bool> = range.iter().rev().flatten().copied().take(periods).collect();
    let breaching = there.iter().filter(|breaches| **breaches).count();
    let absent = periods - there.len();
    let judged = |breaching| if breaching >= to_alarm { State::Alarm } else { State::Ok };
    if absent == 0 {
        return judged(breaching);
    }
    match missing {
        Missing::Breaching => judged(breaching + absent),
        // Nothing but bad points leaves the state alone; a good one, or enough bad ones, decides.
        Missing::Ignore if there.iter().all(|breaches| *breaches) && breaching < to_alarm => before,
        Missing::Missing if there.is_empty() => State::InsufficientData,
        Missing::Missing if breaching == there.len() && as_old_as(range, to_alarm) => State::Alarm,
        Missing::NotBreaching | Missing::Ignore | Missing::Missing => judged(breaching),
    }
}

/// Whether the oldest point that is there is so many periods back; what came since would only have made it worse.
fn as_old_as(range: &[Option<bool>], periods: usize) -> bool {
    range.iter().rev().rposition(Option::is_some).is_some_and(|back| back + 1 >= periods)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `0` is good, `X` is bad, `-` is missing; the expected states are for missing, ignore, breaching and not breaching.
    #[track_caller]
    fn check(range: &str, [periods, to_alarm]: [usize; 2], expected: [&str; 4]) {
        let points: Vec<_> = range.chars().map(|point| (point != '-').then_some(point == 'X')).collect();
        let treatments = [Missing::Missing, Missing::Ignore, Missing::Breaching, Missing::NotBreaching];
        for (missing, expected) in treatments.into_iter().zip(expected) {
            for before in [State::Ok, State::Alarm] {
                let expected = match expected {
                    "OK" => State::Ok,
                    "ALARM" => State::Alarm,
                    "retained" => before,
                    _ => State::InsufficientData,
                };
                assert_eq!(state(&points, periods, to_alarm, missing, before), expected, "{range}, {missing:?}");
            }
        }
    }

    /// The table of CloudWatch's documentation for three of three.
    #[test]
    fn three_of_three_is_as_documented() {
        check("0-X-X", [3, 3], ["OK"; 4]);
        check("----0", [3, 3], ["OK"; 4]);
        check("-----", [3, 3], ["insufficient", "retained", "ALARM", "OK"]);
        check("0XX-X", [3, 3], ["ALARM"; 4]);
        check("--X--", [3, 3], ["ALARM", "retained", "ALARM", "OK"]);
    }

    /// The table for two of three.
    #[test]
    fn two_of_three_is_as_documented() {
        check("0-X-X", [3, 2], ["ALARM"; 4]);
        check("00X0X", [3, 2], ["ALARM"; 4]);
        check("0-X--", [3, 2], ["OK", "OK", "ALARM", "OK"]);
        check("----0", [3, 2], ["OK", "OK", "ALARM", "OK"]);
        check("---X-", [3, 2], ["ALARM", "retained", "ALARM", "OK"]);
    }
}
