//! Usage: what was asked, by whom, and what it cost.

mod bucket;
mod costs;
mod csv;
mod filter;
mod moment;
mod opened;
mod range;
mod report;
mod request;
mod requests;
mod series;
mod series_csv;
mod top;
mod totals;
mod turns;

pub(super) use costs::UsageCostsPart;
pub(super) use requests::UsageRequestsPart;
pub(super) use series::UsagePart;
pub(super) use top::TopUsersPart;
pub use turns::Turns;

/// The parts of the admin API that read usage.
pub(super) type UsageParts = (UsagePart, UsageRequestsPart, TopUsersPart, UsageCostsPart);
/// The same as a value.
pub(super) const USAGE_PARTS: UsageParts = (UsagePart, UsageRequestsPart, TopUsersPart, UsageCostsPart);
