//! Where Bedrock is: the configured addresses, or AWS's own for a region and its partition.

use std::sync::Arc;

use aws_sdk_bedrockruntime::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};

use crate::config::BedrockConfig;
use crate::domain::bedrock_target::check_region;

/// How the hosts of the runtime begin, and those of the control plane.
const RUNTIME: &str = "https://bedrock-runtime.";
const CONTROL: &str = "https://bedrock.";

/// The addresses of Bedrock. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    runtime: Option<String>,
    control: Option<String>,
    resolver: Arc<DefaultResolver>,
}

impl Endpoints {
    /// AWS's endpoints, or the configured ones.
    pub(super) fn new(config: &BedrockConfig) -> Self {
        let runtime = config.endpoint_url.clone();
        let control = config.control_endpoint_url.clone().or_else(|| runtime.clone());
        Self { runtime, control, resolver: Arc::new(DefaultResolver::new()) }
    }

    /// Where models run, without a slash at the end.
    ///
    /// # Errors
    /// When the region is none.
    pub(super) async fn runtime(&self, region: &str) -> Result<String, String> {
        match &self.runtime {
            Some(configured) => Ok(configured.clone()),
            None => self.of_aws(region).await,
        }
    }

    /// Where inference profiles are listed.
    ///
    /// # Errors
    /// When the region is none.
    pub(super) async fn control(&self, region: &str) -> Result<String, String> {
        match &self.control {
            Some(configured) => Ok(configured.clone()),
            // The control plane is beside the runtime. Only the runtime's own addresses are known to its library.
            None => Ok(self.of_aws(region).await?.replacen(RUNTIME, CONTROL, 1)),
        }
    }

    async fn of_aws(&self, region: &str) -> Result<String, String> {
        check_region(region)?;
        let parameters = Params::builder().region(region).build().map_err(|error| error.to_string())?;
        let endpoint = self.resolver.resolve_endpoint(&parameters).await.map_err(|error| error.to_string())?;
        Ok(endpoint.url().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment};

    fn endpoints(settings: &'static [(&'static str, &'static str)]) -> Endpoints {
        let required = [
            ("DATABASE_URL", "postgres://u:p@h/d"),
            ("KEY_HASHER_SECRET", "0123456789abcdef0123456789abcdef"),
            ("LOCAL_VAULT_KEY_FILE", "Cargo.toml"),
        ];
        let lookup = move |name: &str| {
            let found = settings.iter().chain(&required).find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let config = Config::read(Environment::new(lookup)).unwrap();
        Endpoints::new(&config.bedrock)
    }

    async fn both(endpoints: &Endpoints, region: &str) -> [String; 2] {
        [endpoints.runtime(region).await.unwrap(), endpoints.control(region).await.unwrap()]
    }

    #[tokio::test]
    async fn every_partition_has_its_addresses() {
        let of_aws = endpoints(&[]);
        for (region, suffix) in [
            ("us-east-1", "amazonaws.com"),
            ("us-gov-west-1", "amazonaws.com"),
            ("cn-north-1", "amazonaws.com.cn"),
            ("us-iso-east-1", "c2s.ic.gov"),
            ("eu-isoe-west-1", "cloud.adc-e.uk"),
        ] {
            let expected =
                [format!("https://bedrock-runtime.{region}.{suffix}"), format!("https://bedrock.{region}.{suffix}")];
            assert_eq!(both(&of_aws, region).await, expected);
        }
        for region in ["", "us-east-1.elsewhere.example/", "x@elsewhere.example", "us-east-1#"] {
            assert!(of_aws.runtime(region).await.is_err(), "{region}");
        }
    }

    #[tokio::test]
    async fn configured_addresses_come_first_and_one_is_enough() {
        let one = endpoints(&[("BEDROCK_ENDPOINT_URL", "http://127.0.0.1:1/")]);
        assert_eq!(both(&one, "us-east-1").await, ["http://127.0.0.1:1", "http://127.0.0.1:1"]);
        let two = endpoints(&[
            ("BEDROCK_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("BEDROCK_CONTROL_ENDPOINT_URL", "http://127.0.0.1:2"),
        ]);
        assert_eq!(both(&two, "us-east-1").await, ["http://127.0.0.1:1", "http://127.0.0.1:2"]);
    }
}
