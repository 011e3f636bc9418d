//! Tests of the infrastructure as a reader of its template sees it.

mod alarms;
mod aspects;
mod checks;
mod deviations;
mod golden;
mod hardening;
mod parameters;
mod permissions;
mod references;
mod reports;
mod seed;
mod seed_alarms;
mod support;
mod traffic;
