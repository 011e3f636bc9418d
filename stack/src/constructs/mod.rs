//! L2: constructs that say what is meant, with good defaults, which each of them documents.
//!
//! They take objects instead of ARNs, grant each other what they need, and keep their L1 handles public as the way out.

mod alarm;
mod aspects;
mod certificate;
mod dashboard;
mod database;
mod key;
mod load_balancer;
mod log_group;
mod metric;
mod network;
mod queue;
mod repository;
mod role;
mod secret;
mod security_group;
mod service;
mod target_group;
mod task;
mod topic;
mod web_acl;

pub use alarm::{Alarm, Crosses};
pub use aspects::{Encrypted, StateSurvives};
pub use certificate::Certificate;
pub use dashboard::{Dashboard, Graph};
pub use database::{Database, DatabaseSettings};
pub use key::{Decryption, Key};
pub use load_balancer::LoadBalancer;
pub use log_group::LogGroup;
pub use metric::Metric;
pub use network::Network;
pub use queue::Queue;
pub use repository::Repository;
pub use role::Role;
pub use secret::Secret;
pub use security_group::SecurityGroup;
pub use service::Service;
pub use target_group::TargetGroup;
pub use task::Task;
pub use topic::Topic;
pub use web_acl::WebAcl;
