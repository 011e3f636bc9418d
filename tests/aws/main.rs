//! The tests against moto, an AWS for tests: the services of AWS besides Bedrock, as the app uses them.

#![expect(clippy::unwrap_used, reason = "in a test a broken assumption has to stop it on the spot")]

mod certificate;
mod metrics;
mod moto;
mod secrets;
mod vault;
mod whole;
