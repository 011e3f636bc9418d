//! How a user's spend at Bedrock stands to the monthly budget.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::prelude::ToPrimitive as _;
use rust_decimal::{Decimal, RoundingStrategy};

use super::{ErrorType, Failure};

/// From this share of the budget on, in percent, clients and operators are told.
pub const WARN_FROM: u32 = 80;

/// Whether Bedrock may be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It may.
    Open,
    /// It may; so many percent are spent, which is [`WARN_FROM`] at the least.
    Near(u32),
    /// It may not before the next month.
    Spent(SpentBudget),
}

/// A budget that is used up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpentBudget {
    /// What was spent, USD.
    pub spent: Decimal,
    /// What may be spent, USD.
    pub limit: Decimal,
    /// When the next month begins.
    pub end: DateTime<Utc>,
    /// The date of that in `zone`.
    pub reset: NaiveDate,
    /// The time zone of the reports.
    pub zone: String,
}

impl SpentBudget {
    /// What the client is told.
    pub fn refusal(&self, now: DateTime<Utc>) -> Failure {
        let message = format!(
            "Your monthly budget for Bedrock is spent: {} of {}. It begins anew on {} ({}). Ask the administrator of your \
             proxy to raise it.",
            dollars(self.spent),
            dollars(self.limit),
            self.reset,
            self.zone
        );
        let seconds = u32::try_from((self.end - now).num_seconds()).unwrap_or(0).max(1);
        Failure::new(429, ErrorType::Billing, message).final_answer().after_seconds(seconds)
    }
}

/// The whole percent of a budget that are spent; a budget of nothing is spent.
pub fn percent(spent: Decimal, limit: Decimal) -> u32 {
    let hundredths = (spent * Decimal::ONE_HUNDRED).checked_div(limit);
    hundredths.map_or(100, |percent| percent.to_u32().unwrap_or(u32::MAX))
}

/// Cents at the least, and a millionth of a dollar at the most.
fn dollars(amount: Decimal) -> String {
    let amount = amount.round_dp_with_strategy(6, RoundingStrategy::MidpointAwayFromZero).normalize();
    let digits = usize::try_from(amount.scale()).unwrap_or(0).max(2);
    format!("${amount:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_are_whole_and_never_too_many() {
        for (spent, limit, expected) in [
            ("0", "50", 0),
            ("39.999999", "50", 79),
            ("40", "50", 80),
            ("49.9999", "50", 99),
            ("60", "50", 120),
            ("0", "0", 100),
        ] {
            assert_eq!(percent(spent.parse().unwrap(), limit.parse().unwrap()), expected, "{spent} of {limit}");
        }
    }

    #[test]
    fn the_refusal_names_amount_limit_and_date() {
        let end: DateTime<Utc> = "2026-03-31T22:00:00Z".parse().unwrap();
        let reset = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap();
        let (spent, limit) = ("50.1234567".parse().unwrap(), "50".parse().unwrap());
        let spent = SpentBudget { spent, limit, end, reset, zone: "Europe/Berlin".to_owned() };
        let failure = spent.refusal("2026-03-31T21:00:00Z".parse().unwrap());
        let words = "Your monthly budget for Bedrock is spent: $50.123457 of $50.00. It begins anew on 2026-04-01 (Europe/Berlin). \
                     Ask the administrator of your proxy to raise it.";
        assert_eq!(
            (failure.status, failure.error_type.name(), failure.message.as_str()),
            (429, "billing_error", words)
        );
        assert_eq!((failure.should_retry, failure.retry_after), (Some(false), Some(3600)));
        assert_eq!(spent.refusal(end).retry_after, Some(1));
    }
}
