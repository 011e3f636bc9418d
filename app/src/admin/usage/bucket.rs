//! How a series is cut, and what it is grouped by.

use chrono::{DateTime, Utc};
use poem_openapi::Enum;

use crate::store::UsageGrouping;

/// Kinds of buckets.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case")]
pub(super) enum Bucket {
    /// A minute.
    Minute,
    /// An hour; one that comes twice at a change of the clock is two.
    Hour,
    /// A day, of 23, 24 or 25 hours.
    Day,
    /// Monday to Sunday.
    Week,
    /// A month of the calendar.
    Month,
}

/// What usage is grouped by.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case")]
pub(super) enum GroupBy {
    /// All in one.
    None,
    /// By user.
    User,
    /// By access key.
    AccessKey,
    /// By who served it.
    Provider,
    /// By the model that was asked for.
    Model,
}

impl Bucket {
    /// As the sums have it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// One that shows a range well: 49 hours, 400 days, or months.
    pub(super) fn fitting((since, until): (DateTime<Utc>, DateTime<Utc>)) -> Self {
        match (until - since).num_hours() {
            ..50 => Self::Hour,
            50..9600 => Self::Day,
            _ => Self::Month,
        }
    }
}

impl GroupBy {
    pub(super) fn grouping(self) -> UsageGrouping {
        match self {
            Self::None => UsageGrouping::Nothing,
            Self::User => UsageGrouping::User,
            Self::AccessKey => UsageGrouping::AccessKey,
            Self::Provider => UsageGrouping::Provider,
            Self::Model => UsageGrouping::Model,
        }
    }
}
