//! How the resources of the stack are called, as ARNs.

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};
use stack::proxy_stack::{NAME, proxy_stack};

use crate::aws::Where;

/// The place, and the template that says the names.
pub(super) struct Names {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(super) partition: &'static str,
    /// The stack's name, with which the names begin that CloudFormation makes.
    pub(super) stack: String,
    region: Option<String>,
    account: String,
    zone: String,
    template: Json,
}

impl Names {
    pub(super) fn new(place: &Where, account: Option<&str>, zone: Option<&str>) -> Result<Self> {
        let assembly = proxy_stack().synth()?;
        let region = place.region().map(str::to_owned);
        Ok(Self {
            partition: match region.as_deref() {
                Some(region) if region.starts_with("cn-") => "aws-cn",
                Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
                _ => "aws",
            },
            stack: place.stack_name().to_owned(),
            region,
            account: account.unwrap_or("*").to_owned(),
            zone: zone.unwrap_or("*").to_owned(),
            template: serde_json::from_str(&assembly.json).context("the template is no JSON")?,
        })
    }

    /// Something of a service in the region.
    pub(super) fn arn(&self, service: &str, rest: &str) -> String {
        let region = self.region.as_deref().unwrap_or("*");
        format!("arn:{}:{service}:{region}:{}:{rest}", self.partition, self.account)
    }

    /// Something of a service that knows no regions.
    pub(super) fn global_arn(&self, service: &str, rest: &str) -> String {
        format!("arn:{}:{service}::{}:{rest}", self.partition, self.account)
    }

    /// Something that belongs to no account by its name: a bucket, a zone.
    pub(super) fn bare_arn(&self, service: &str, rest: &str) -> String {
        format!("arn:{}:{service}:::{rest}", self.partition)
    }

    /// Roles that CloudFormation names.
    pub(super) fn roles(&self) -> String {
        self.global_arn("iam", &format!("role/{}-*", self.stack))
    }

    /// The zone in which records are made.
    pub(super) fn zone(&self) -> String {
        self.bare_arn("route53", &format!("hostedzone/{}", self.zone))
    }

    /// What one of our own names begins.
    pub(super) fn own(&self, service: &str, before: &str, after: &str) -> String {
        self.arn(service, &format!("{before}{NAME}{after}"))
    }

    /// Each log group, and its streams.
    pub(super) fn log_groups(&self) -> Vec<String> {
        let groups = self.of_type("AWS::Logs::LogGroup", "LogGroupName");
        groups.flat_map(|name| ["", ":*"].map(|end| self.arn("logs", &format!("log-group:{name}{end}")))).collect()
    }

    /// Each alarm.
    pub(super) fn alarms(&self) -> Vec<String> {
        let alarms = self.of_type("AWS::CloudWatch::Alarm", "AlarmName");
        alarms.map(|name| self.arn("cloudwatch", &format!("alarm:{name}"))).collect()
    }

    /// For what has no name of its own: the region alone.
    pub(super) fn region_only(&self) -> Option<Json> {
        self.region.as_deref().map(|region| json!({ "StringEquals": { "aws:RequestedRegion": region } }))
    }

    fn of_type<'a>(&'a self, type_name: &'a str, property: &'a str) -> impl Iterator<Item = &'a str> {
        let resources = self.template["Resources"].as_object().into_iter().flat_map(|resources| resources.values());
        let found = resources.filter(move |resource| resource["Type"] == type_name);
        found.filter_map(move |resource| resource["Properties"][property].as_str())
    }
}
