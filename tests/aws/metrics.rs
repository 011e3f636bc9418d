//! The metrics in CloudWatch: what a process sends, what the alarms read, and what happens while CloudWatch is away.

mod alarms;
mod away;
mod sent;
