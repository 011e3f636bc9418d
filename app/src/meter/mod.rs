//! Counts what Bedrock served and writes it down, off the path of the request.

mod merge;
mod recorder;
mod request_meter;

pub use merge::UsageMerge;
pub use recorder::{Recorder, RecorderTask};
pub use request_meter::{RequestFacts, RequestMeter, Served};
