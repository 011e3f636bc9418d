//! Databases: capacities the wrong way round, and maintenance in the middle of a backup.

use super::{every, number};
use crate::core::{Deployment, Problem};

const DAY: u32 = 24 * 60;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

pub(super) fn check(deployment: &Deployment<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (_, cluster) in every(deployment, "AWS::RDS::DBCluster") {
        let value = |pointer: &str| deployment.resolve(&cluster.property(pointer));
        let capacity = |which: &str| number(&value(&format!("/ServerlessV2ScalingConfiguration/{which}")));
        if let (Some(fewest), Some(most)) = (capacity("MinCapacity"), capacity("MaxCapacity"))
            && fewest > most
        {
            let told =
                format!("its fewest capacity units are {fewest} and its most {most}; swap them or raise the most");
            problems.push(Problem::at(&cluster.origin, told));
        }
        let (backup, maintenance) = (value("/PreferredBackupWindow"), value("/PreferredMaintenanceWindow"));
        let (backup, maintenance) = (backup.as_str().unwrap_or_default(), maintenance.as_str().unwrap_or_default());
        if overlap(backup, maintenance) {
            let told = format!(
                "its backup ({backup}) and its maintenance ({maintenance}) overlap, which RDS refuses; move one of them"
            );
            problems.push(Problem::at(&cluster.origin, told));
        }
    }
    problems
}

/// Whether a window of every day, `03:00-04:00`, meets one of every week, `sun:04:30-sun:05:30`.
fn overlap(daily: &str, weekly: &str) -> bool {
    let (Some((from, to)), Some((begins, ends))) = (window(daily), window(weekly)) else { return false };
    // A window that ends before it begins goes over midnight, or over the end of the week.
    let length = |from: u32, to: u32, round: u32| (to + round - from) % round;
    let lengths = [length(from, to, DAY), length(begins, ends, 7 * DAY)];
    (0..7).any(|day| {
        let from = day * DAY + from;
        let apart = [length(from, begins, 7 * DAY), length(begins, from, 7 * DAY)];
        apart[0] < lengths[0] || apart[1] < lengths[1]
    })
}

/// Beginning and end in minutes: of a day, or of a week where days are named.
fn window(text: &str) -> Option<(u32, u32)> {
    let (from, to) = text.split_once('-')?;
    Some((minute(from)?, minute(to)?))
}

fn minute(text: &str) -> Option<u32> {
    let (rest, minutes) = text.rsplit_once(':')?;
    let (day, hours) = rest
        .split_once(':')
        .map_or((Some(0), rest), |(day, hours)| (DAYS.iter().position(|known| known.eq_ignore_ascii_case(day)), hours));
    Some(u32::try_from(day?).ok()? * DAY + hours.parse::<u32>().ok()? * 60 + minutes.parse::<u32>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_overlap_where_they_share_a_minute() {
        for (backup, maintenance, expected) in [
            ("03:00-04:00", "sun:04:30-sun:05:30", false),
            ("03:00-04:00", "sun:04:00-sun:05:00", false),
            ("03:00-04:00", "sun:03:30-sun:04:30", true),
            ("03:00-04:00", "wed:02:30-wed:03:01", true),
            ("03:00-06:00", "wed:04:00-wed:04:30", true),
            ("04:00-04:30", "wed:03:00-wed:06:00", true),
            ("23:30-00:30", "mon:00:00-mon:01:00", true),
            ("23:30-00:30", "sun:23:00-mon:00:00", true),
            ("00:00-01:00", "sun:23:30-mon:00:30", true),
            ("12:00-13:00", "sun:23:30-mon:00:30", false),
            ("anything", "sun:23:30-mon:00:30", false),
        ] {
            assert_eq!(overlap(backup, maintenance), expected, "{backup} and {maintenance}");
        }
    }
}
