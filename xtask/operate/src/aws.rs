//! The way to AWS: region, profile, endpoint, who we are, and the clients of the services.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use tokio::sync::OnceCell;
use xtask::progress::loud;
use xtask::registry::is_loopback;

use crate::failure::told;

/// Between two looks at something that takes minutes; AWS counts calls.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// The same where AWS is a program on this machine.
const LOOK_EVERY_OFFLINE: Duration = Duration::from_millis(100);
/// Tries of a call, the first included: AWS throttles those who look often.
const ATTEMPTS: u32 = 8;
const ATTEMPT_WITHIN: Duration = Duration::from_secs(30);
const CALL_WITHIN: Duration = Duration::from_mins(2);

/// Which stack, and where.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Where {
    /// Name of the stack [default: claude-code-proxy]
    #[arg(long, global = true)]
    pub(crate) stack: Option<String>,
    /// Region of AWS; without it `AWS_REGION`, or that of the profile
    #[arg(long, global = true)]
    region: Option<String>,
    /// Profile of ~/.aws/config, whatever keys are in the environment; without it `AWS_PROFILE`, and the usual chain
    #[arg(long, global = true)]
    profile: Option<String>,
    /// Another address for all services, such as an AWS for tests (`cargo xtask offline-aws`)
    #[arg(long, global = true, value_name = "URL")]
    endpoint_url: Option<String>,
}

impl Where {
    /// The name of the stack.
    pub(crate) fn stack_name(&self) -> &str {
        self.stack.as_deref().unwrap_or(stack::proxy_stack::NAME)
    }

    /// The region that was named here.
    pub(crate) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }
}

/// Who we are.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// The number of the account.
    pub(crate) account: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) partition: String,
}

/// AWS, as one account in one region.
#[derive(Debug)]
pub(crate) struct Aws {
    config: SdkConfig,
    /// The name of the stack.
    pub(crate) stack: String,
    /// The region.
    pub(crate) region: String,
    /// Whether it is a program on this machine.
    pub(crate) offline: bool,
    identity: OnceCell<Identity>,
}

impl Aws {
    /// Reads the settings; nothing is asked yet.
    pub(crate) async fn open(place: &Where) -> Result<Self> {
        let timeouts =
            TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_WITHIN).operation_timeout(CALL_WITHIN).build();
        let http =
            aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts);
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let endpoint = place.endpoint_url.clone().or_else(|| set("AWS_ENDPOINT_URL"));
        let offline = endpoint.as_deref().map(host).is_some_and(is_loopback);
        let profile = place.profile.clone().or_else(|| set("AWS_PROFILE"));
        let mut region = place.region.clone();
        if offline && profile.is_none() {
            // What plays AWS here believes everybody, so nobody has to make credentials up.
            region =
                region.or_else(|| set("AWS_REGION")).or_else(|| set("AWS_DEFAULT_REGION")).or(Some("us-east-1".into()));
            if set("AWS_ACCESS_KEY_ID").is_none() {
                let anybody = Credentials::new("test", "test", None, None, "offline");
                loader = loader.credentials_provider(SharedCredentialsProvider::new(anybody));
            }
        }
        if let Some(profile) = &place.profile {
            // That profile and nothing else: keys in the environment may be another account's.
            let only = ProfileFileCredentialsProvider::builder().profile_name(profile).build();
            loader = loader.profile_name(profile).credentials_provider(only);
        }
        if let Some(region) = region {
            loader = loader.region(Region::new(region));
        }
        if let Some(endpoint) = &endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        let config = loader.load().await;
        let Some(region) = config.region().map(ToString::to_string) else {
            bail!("no region: give --region (such as ap-northeast-2), or set AWS_REGION or the region of the profile");
        };
        if offline {
            loud(format_args!("{} is no AWS but a program on this machine", endpoint.unwrap_or_default()));
        }
        let stack = place.stack_name().to_owned();
        Ok(Self { config, stack, region, offline, identity: OnceCell::new() })
    }

    /// Who we are; asked once.
    pub(crate) async fn identity(&self) -> Result<&Identity> {
        self.identity
            .get_or_try_init(async || {
                let answer = aws_sdk_sts::Client::new(&self.config).get_caller_identity().send().await;
                let answer = answer.map_err(|error| told(error, "ask AWS who we are"))?;
                let arn = answer.arn().context("AWS does not say who we are")?;
                let partition = arn.split(':').nth(1).unwrap_or("aws").to_owned();
                let account = answer.account().context("AWS does not say which account this is")?.to_owned();
                Ok(Identity { account, partition })
            })
            .await
    }

    /// How long to wait between two looks at something that takes minutes.
    pub(crate) fn look_every(&self) -> Duration {
        if self.offline { LOOK_EVERY_OFFLINE } else { LOOK_EVERY }
    }

    pub(crate) fn cloudformation(&self) -> aws_sdk_cloudformation::Client {
        aws_sdk_cloudformation::Client::new(&self.config)
    }

    pub(crate) fn cloudwatch(&self) -> aws_sdk_cloudwatch::Client {
        aws_sdk_cloudwatch::Client::new(&self.config)
    }

    pub(crate) fn ecr(&self) -> aws_sdk_ecr::Client {
        aws_sdk_ecr::Client::new(&self.config)
    }

    pub(crate) fn ecs(&self) -> aws_sdk_ecs::Client {
        aws_sdk_ecs::Client::new(&self.config)
    }

    pub(crate) fn logs(&self) -> aws_sdk_cloudwatchlogs::Client {
        aws_sdk_cloudwatchlogs::Client::new(&self.config)
    }

    pub(crate) fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config)
    }

    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        // Buckets as names of hosts cannot be resolved where AWS is an address of this machine.
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(self.offline);
        aws_sdk_s3::Client::from_conf(config.build())
    }
}

/// The host of an address, with its port.
fn host(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_no_aws() {
        for url in ["http://127.0.0.1:4566", "http://localhost:4566/", "http://[::1]:4566"] {
            assert!(is_loopback(host(url)), "{url}");
        }
        for url in
            ["https://cloudformation.us-east-1.amazonaws.com", "http://10.0.0.7:80", "http://127.0.0.1.example.com"]
        {
            assert!(!is_loopback(host(url)), "{url}");
        }
    }
}
