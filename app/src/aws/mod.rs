//! What all services of AWS share: the way to them, the region, and credentials from the standard chain.

mod connector;
mod failure;
mod secrets;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use std::time::Duration;

pub(crate) use connector::ReqwestConnector;
pub(crate) use failure::{code, is_away};
pub use secrets::{SecretError, Secrets};

use crate::config::AwsConfig;

/// Tries of a call, the first included; the SDK waits longer before each, and less often when all calls fail.
const ATTEMPTS: u32 = 3;
/// The longest that one try takes.
const ATTEMPT_WITHIN: Duration = Duration::from_secs(5);
/// The longest that a call takes with all its tries.
const CALL_WITHIN: Duration = Duration::from_secs(20);

/// The settings of all clients of AWS but Bedrock's, which has a key and a region for each developer.
///
/// Credentials are asked for when the first call needs them. Without `AWS_REGION` the chain looks for the region in the
/// profile and at the instance, which can take seconds; nothing that listens waits for this.
pub async fn sdk_config(http: reqwest::Client, config: &AwsConfig) -> SdkConfig {
    let timeouts =
        TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_WITHIN).operation_timeout(CALL_WITHIN).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(ReqwestConnector::new(http).into_client())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts);
    if let Some(region) = &config.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(endpoint) = &config.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    loader.load().await
}
