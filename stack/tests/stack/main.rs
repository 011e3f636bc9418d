//! Tests of the infrastructure as a reader of its template sees it.

mod alarms;
mod checks;
mod deviations;
mod golden;
mod hardening;
mod parameters;
mod references;
mod seed;
mod support;
mod traffic;
