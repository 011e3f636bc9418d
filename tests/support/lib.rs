//! The harness of the tests: real HTTP servers which play the plan and Amazon Bedrock after a script, and what both say.

#![expect(clippy::expect_used, reason = "in a harness a broken assumption has to stop the test on the spot")]

pub mod administrator;
mod app;
mod authority;
mod balancer;
mod bedrock_api;
pub mod claude;
pub mod client;
mod counters;
mod database;
pub mod difference;
pub mod evidence;
pub mod fault;
pub mod frames;
mod http_client;
mod key;
pub mod link;
mod offline_aws;
mod patience;
pub mod process;
pub mod program;
mod reply;
pub mod sse;
pub mod tls;
pub mod traffic;
mod upstream;

pub use administrator::Administrator;
pub use app::{Surroundings, TestApp};
pub use authority::{Authority, Certified};
pub use balancer::Balancer;
pub use bedrock_api::BedrockApi;
pub use claude::{Answer, Usage};
pub use client::{Client, Got, get, try_get};
pub use counters::Counters;
pub use database::TestDatabase;
pub use http_client::{http_client, http2_client, refused_address};
pub use key::{IssuedKey, KeyWish};
pub use offline_aws::{Call, OfflineAws};
pub use patience::{PATIENCE, within};
pub use reply::{Reply, Steps};
pub use sse::ServerEvent;
pub use upstream::{RecordedRequest, Upstream};
