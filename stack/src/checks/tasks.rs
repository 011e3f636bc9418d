//! Tasks: a load balancer that asks at another port than the container listens on, and scaling that cannot.

use serde_json::Value as Json;

use super::{every, number, target};
use crate::core::{Deployment, Problem};

pub(super) fn check(deployment: &Deployment<'_>) -> Vec<Problem> {
    [ports(deployment), scaling(deployment)].concat()
}

fn ports(deployment: &Deployment<'_>) -> Vec<Problem> {
    let resources = &deployment.template().resources;
    let mut problems = Vec::new();
    for (_, service) in every(deployment, "AWS::ECS::Service") {
        let task = service.property("/TaskDefinition");
        let Some(task) = target(&task).and_then(|id| resources.get(id)) else { continue };
        let containers = task.property("/ContainerDefinitions");
        for attached in service.property("/LoadBalancers").as_array().into_iter().flatten() {
            let (name, port) = (&attached["ContainerName"], &attached["ContainerPort"]);
            let container = containers.as_array().into_iter().flatten().find(|container| container["Name"] == *name);
            let listens: Vec<_> = container.iter().filter_map(|it| it["PortMappings"].as_array()).flatten().collect();
            let mut tell = |told: String| problems.push(Problem::at(&service.origin, told));
            match container {
                None => tell(format!(
                    "requests go to the container {name}, which {} does not have; name one of its",
                    task.origin
                )),
                Some(_) if !listens.iter().any(|mapping| mapping["ContainerPort"] == *port) => {
                    tell(format!("requests go to port {port} of {name}, which {} does not open; map it", task.origin));
                }
                Some(_) => {}
            }
            let group = target(&attached["TargetGroupArn"]).and_then(|id| resources.get(id));
            let wanted = group.map(|group| group.property("/Port"));
            if let (Some(group), Some(wanted)) = (group, wanted)
                && !wanted.is_null()
                && wanted != *port
            {
                tell(format!("requests go to port {port}, and {} has port {wanted}; give both the same", group.origin));
            }
        }
    }
    problems
}

fn scaling(deployment: &Deployment<'_>) -> Vec<Problem> {
    let targets = every(deployment, "AWS::ApplicationAutoScaling::ScalableTarget");
    let wrong = targets.filter_map(|(_, scaled)| {
        let value = |pointer: &str| number(&deployment.resolve(&scaled.property(pointer)) as &Json);
        let (fewest, most) = (value("/MinCapacity")?, value("/MaxCapacity")?);
        (fewest > most).then(|| {
            let told = format!("there are at least {fewest} tasks and at most {most}; swap them or raise the most");
            Problem::at(&scaled.origin, told)
        })
    });
    wrong.collect()
}
