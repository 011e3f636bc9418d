//! Settings of the metrics: where they go, and how AWS is reached.

use std::net::SocketAddr;

use super::env::Environment;
use super::variables as var;

/// Where the metrics go; both may be on, or neither.
#[derive(Clone, Debug)]
pub struct MetricsConfig {
    /// `CLOUDWATCH_METRICS`
    pub cloudwatch: bool,
    /// `METRICS_ADDR`; `None`: no Prometheus text
    pub listen: Option<SocketAddr>,
}

/// How services of AWS are reached, Bedrock left out.
#[derive(Clone, Debug)]
pub struct AwsConfig {
    /// `AWS_REGION`; `None`: as the standard chain finds it
    pub region: Option<String>,
    /// `AWS_ENDPOINT_URL`; `None`: AWS's own
    pub endpoint_url: Option<String>,
}

impl MetricsConfig {
    /// Reads what `serve` needs.
    pub(super) fn read(env: &mut Environment<'_>) -> Option<Self> {
        let cloudwatch =
            env.parse(&var::CLOUDWATCH_METRICS, |text| text.parse::<bool>().map_err(|_| "must be true or false"));
        let listen = env.parse(&var::METRICS_ADDR, |text| {
            text.parse().map_err(|_| "is no address with a port; write it like 127.0.0.1:9090 or [::1]:9090")
        });
        Some(Self { cloudwatch: cloudwatch?, listen })
    }
}

impl AwsConfig {
    /// Reads what a role needs that speaks to AWS.
    pub fn read(env: &mut Environment<'_>) -> Self {
        let region = env.parse(&var::AWS_REGION, |text| {
            let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if text.bytes().all(is_name) {
                Ok(text.to_owned())
            } else {
                Err("is no region; write it like eu-central-1")
            }
        });
        Self { region, endpoint_url: env.base_url(&var::AWS_ENDPOINT_URL) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<(MetricsConfig, AwsConfig), String> {
        let lookup = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let mut env = Environment::new(lookup);
        let (metrics, aws) = (MetricsConfig::read(&mut env), AwsConfig::read(&mut env));
        env.finish().map_err(|problems| problems.to_string())?;
        Ok((metrics.unwrap(), aws))
    }

    #[test]
    fn nothing_is_sent_and_nothing_listens_unless_it_is_said() {
        let (metrics, aws) = read(&[]).unwrap();
        assert!(!metrics.cloudwatch && metrics.listen.is_none());
        assert_eq!((aws.region, aws.endpoint_url), (None, None));
    }

    #[test]
    fn wrong_settings_are_told() {
        for (name, value, expected) in [
            ("CLOUDWATCH_METRICS", "yes", "true or false"),
            ("METRICS_ADDR", "9090", "127.0.0.1:9090"),
            ("AWS_REGION", "Frankfurt", "eu-central-1"),
            ("AWS_ENDPOINT_URL", "moto", "https://host"),
        ] {
            let told = read(&[(name, value)]).unwrap_err();
            assert!(told.contains(name) && told.contains(expected), "{told}");
        }
    }
}
