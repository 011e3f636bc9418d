//! The tests of the whole: the real app, real HTTP, a real database.

#![expect(clippy::unwrap_used, reason = "in a test a broken assumption has to stop it on the spot")]

mod admin;
mod aggregates;
mod budgets;
mod connections;
mod contract;
mod count_tokens;
mod documents;
mod faults;
mod journal;
mod limits;
mod logs;
mod memory;
mod metering;
mod metrics;
mod models;
mod native;
mod prices;
mod proxy;
mod repairs;
mod roles;
mod routing;
mod shutdown;
mod start;
