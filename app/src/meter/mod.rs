//! Counts what was served, prices it and writes it down, off the path of the request.

mod answer_reader;
mod attempts;
mod budgets;
mod estimate;
mod journal;
mod log_line;
mod merge;
mod prices;
mod recorder;
pub mod replay;
mod request_meter;
mod upkeep;

pub use answer_reader::AnswerReader;
pub use budgets::{Budgets, BudgetsTask};
pub use journal::Journal;
pub use merge::UsageMerge;
pub use prices::{LOOK_EVERY, Prices};
pub use recorder::{Recorder, RecorderTask};
pub use request_meter::{RequestFacts, RequestMeter, Served};
pub use upkeep::Upkeep;
