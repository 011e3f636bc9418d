//! The AWS that these tests share. Each test takes a region of its own, in which it is alone.

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::config::{Credentials, SharedCredentialsProvider};
use claude_code_proxy::aws;
use claude_code_proxy::config::AwsConfig;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};
use support::{Surroundings, http_client};

/// A region of moto.
#[derive(Debug)]
pub(crate) struct Moto {
    url: String,
    region: &'static str,
}

impl Moto {
    pub(crate) fn in_region(region: &'static str) -> Self {
        let url = std::env::var("MOTO_URL");
        let url = url.unwrap_or_else(|_| panic!("these tests need moto, which `cargo xtask test --only aws` starts"));
        Self { url, region }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Surroundings of an app that sends its metrics to this region, at `url`.
    pub(crate) async fn surroundings(&self, url: &str) -> Surroundings {
        self.account(url).await.with("CLOUDWATCH_METRICS", "true")
    }

    /// Surroundings of an app in this region, whose services are at `url`.
    pub(crate) async fn account(&self, url: &str) -> Surroundings {
        self.around(Surroundings::start().await, url)
    }

    /// The same for surroundings that are there.
    pub(crate) fn around(&self, around: Surroundings, url: &str) -> Surroundings {
        around
            .with("AWS_ENDPOINT_URL", url)
            .with("AWS_REGION", self.region)
            .with("AWS_ACCESS_KEY_ID", support::evidence::secret("AKIAACCESSKEYOFTESTS"))
            .with("AWS_SECRET_ACCESS_KEY", support::evidence::secret("the-secret-access-key-of-the-tests"))
    }

    /// What the clients of AWS's services are made of, as the app makes it, for services at `url`.
    pub(crate) async fn config(&self, url: &str) -> SdkConfig {
        let config = AwsConfig { region: Some(self.region.to_owned()), endpoint_url: Some(url.to_owned()) };
        let credentials = SharedCredentialsProvider::new(Credentials::new("AKIATESTS", "secret", None, None, "tests"));
        let shared = aws::sdk_config(http_client(), &config).await;
        shared.into_builder().credentials_provider(credentials).build()
    }

    /// A client of CloudWatch that asks at `url`.
    pub(crate) async fn cloudwatch(&self, url: &str) -> aws_sdk_cloudwatch::Client {
        aws_sdk_cloudwatch::Client::new(&self.config(url).await)
    }

    /// Calls a service in the way of whoever sets it up.
    pub(crate) async fn call(&self, service: &str, target: &str, said: Value) -> Value {
        let scope = format!("Credential=x/20260101/{}/{service}/aws4_request", self.region);
        let call = http_client()
            .post(&self.url)
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.1")
            .header(AUTHORIZATION, format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=x"))
            .body(said.to_string());
        let answer = call.send().await.unwrap();
        let status = answer.status();
        let body = answer.bytes().await.unwrap();
        assert!(status.is_success(), "{target}: {status}");
        if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() }
    }

    /// What was taken by PutMetricData so far, each call whole.
    pub(crate) async fn calls(&self) -> Vec<Value> {
        let calls = http_client().get(format!("{}/requests/{}", self.url, self.region)).send().await.unwrap();
        let calls: Vec<Value> = serde_json::from_slice(&calls.bytes().await.unwrap()).unwrap();
        let sent = calls.into_iter().filter(|call| call["operation"] == "PutMetricData");
        sent.map(|mut call| call["parameters"].take()).collect()
    }

    /// What CloudWatch knows by now: name and dimensions of each metric.
    pub(crate) async fn metrics(&self) -> Vec<(String, Vec<(String, String)>)> {
        let target = "GraniteServiceVersion20100801.ListMetrics";
        let answer = self.call("monitoring", target, json!({"Namespace": "ClaudeCodeProxy"})).await;
        let read = |metric: &Value| (metric["MetricName"].as_str().unwrap().to_owned(), dimensions(metric));
        answer["Metrics"].as_array().unwrap().iter().map(read).collect()
    }
}

/// Name and value of each dimension of a metric or a datum.
pub(crate) fn dimensions(of: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = of["Dimensions"].as_array().into_iter().flatten();
    all.map(|dimension| (text(&dimension["Name"]), text(&dimension["Value"]))).collect()
}
