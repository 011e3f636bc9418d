//! What a deployment costs in a month before anybody uses it.
//!
//! Prices are AWS's list prices in us-east-1, in US dollars, of 730 hours; other regions differ by up to a third, and Seoul's
//! Aurora by more. What grows with use is not in it: data through NAT gateways and load balancer, logs, metrics of the app
//! (about 40, 0.30 each), storage and backups of the database, and more tasks and capacity than the fewest.

use serde_json::Value as Json;

use crate::core::{Deployment, Resource};

const HOURS: f64 = 730.0;
const NAT_GATEWAY: f64 = 0.045 * HOURS;
const PUBLIC_ADDRESS: f64 = 0.005 * HOURS;
const LOAD_BALANCER: f64 = 0.0225 * HOURS;
/// A processor, and a GB of memory, of a Linux task on x86-64; ARM64 costs a fifth less.
const FARGATE: [f64; 2] = [0.040_48 * HOURS, 0.004_445 * HOURS];
const AURORA_CAPACITY_UNIT: f64 = 0.12 * HOURS;
const KEY: f64 = 1.0;
const SECRET: f64 = 0.4;
/// For each metric that an alarm looks at.
const ALARM_METRIC: f64 = 0.1;
const DASHBOARD: f64 = 3.0;
const WEB_ACL: f64 = 5.0;
const WEB_ACL_RULE: f64 = 1.0;

/// A part of the costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Of what.
    pub what: &'static str,
    /// How many of it.
    pub count: usize,
    /// US dollars a month.
    pub dollars: f64,
}

/// The costs of a deployment, the largest first.
pub fn monthly(deployment: &Deployment<'_>) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for (_, resource) in deployment.resources() {
        for (what, dollars) in parts(deployment, resource) {
            match items.iter_mut().find(|item| item.what == what) {
                Some(item) => {
                    item.count += 1;
                    item.dollars += dollars;
                }
                None => items.push(Item { what, count: 1, dollars }),
            }
        }
    }
    items.sort_by(|one, other| other.dollars.total_cmp(&one.dollars));
    items
}

fn parts(deployment: &Deployment<'_>, resource: &Resource) -> Vec<(&'static str, f64)> {
    let number = |pointer: &str| number(&deployment.resolve(&resource.property(pointer)));
    match resource.type_name {
        "AWS::EC2::NatGateway" => vec![("NAT gateway", NAT_GATEWAY)],
        "AWS::EC2::EIP" => vec![("public address of a NAT gateway", PUBLIC_ADDRESS)],
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => {
            vec![("load balancer, with two public addresses", LOAD_BALANCER + 2.0 * PUBLIC_ADDRESS)]
        }
        "AWS::ECS::TaskDefinition" => {
            let [processor, memory] = FARGATE;
            let task = number("/Cpu") / 1024.0 * processor + number("/Memory") / 1024.0 * memory;
            vec![("fewest tasks", task * deployment.parameter("MinTasks").parse().unwrap_or(1.0))]
        }
        "AWS::RDS::DBInstance" => {
            let capacity = deployment.parameter("MinDatabaseCapacity").parse().unwrap_or(0.5);
            vec![("database instance at its fewest capacity units", capacity * AURORA_CAPACITY_UNIT)]
        }
        "AWS::KMS::Key" => vec![("key", KEY)],
        "AWS::SecretsManager::Secret" => vec![("secret", SECRET)],
        "AWS::CloudWatch::Alarm" => {
            let queries = resource.property("/Metrics");
            let metrics = queries.as_array().into_iter().flatten().filter(|query| query.get("MetricStat").is_some());
            vec![("metric of an alarm", ALARM_METRIC); metrics.count()]
        }
        "AWS::CloudWatch::Dashboard" => vec![("dashboard", DASHBOARD)],
        "AWS::WAFv2::WebACL" => {
            let rules = resource.property("/Rules").as_array().map_or(0, Vec::len);
            [vec![("firewall", WEB_ACL)], vec![("rule of the firewall", WEB_ACL_RULE); rules]].concat()
        }
        _ => Vec::new(),
    }
}

fn number(value: &Json) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}
