//! Health checks that would overlap themselves.

use super::{every, number};
use crate::core::{Deployment, Problem};

pub(super) fn check(deployment: &Deployment<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (_, targets) in every(deployment, "AWS::ElasticLoadBalancingV2::TargetGroup") {
        let seconds =
            |pointer: &str, default: f64| number(&deployment.resolve(&targets.property(pointer))).unwrap_or(default);
        // The defaults are those of AWS for HTTP.
        let (timeout, interval) =
            (seconds("/HealthCheckTimeoutSeconds", 5.0), seconds("/HealthCheckIntervalSeconds", 30.0));
        problems.extend(told(timeout, interval).map(|told| Problem::at(&targets.origin, told)));
    }
    for (_, task) in every(deployment, "AWS::ECS::TaskDefinition") {
        let containers = deployment.resolve(&task.property("/ContainerDefinitions"));
        for check in containers.as_array().into_iter().flatten().filter_map(|container| container.get("HealthCheck")) {
            let seconds = |name: &str, default: f64| number(&check[name]).unwrap_or(default);
            let told = told(seconds("Timeout", 5.0), seconds("Interval", 30.0));
            problems.extend(told.map(|told| Problem::at(&task.origin, told)));
        }
    }
    problems
}

fn told(timeout: f64, interval: f64) -> Option<String> {
    (timeout >= interval).then(|| {
        format!("a health check may take {timeout} s and comes every {interval} s; give it less time than there is between two")
    })
}
