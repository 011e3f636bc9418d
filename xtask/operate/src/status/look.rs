//! Asks AWS for all that the report says, at once where one answer does not need another.

use std::collections::BTreeMap;

use anyhow::{Error, Result};
use aws_sdk_cloudwatch::types::StateValue;
use aws_sdk_ecr::types::ImageIdentifier;
use chrono::{DateTime as Moment, SecondsFormat, Utc};

use super::report::{Alarm, Alarms, Event, Image, Record, Report, Service, Stack, Task};
use crate::admin;
use crate::alarms::{described, names as names_of_alarms};
use crate::aws::Aws;
use crate::containers::task_id;
use crate::deployed::{Deployed, Physical};
use crate::failure::{is_missing, told};

/// What ECS did last; more is in its console.
const EVENTS: usize = 3;
/// The most tasks that AWS describes in an answer.
const PAGE: usize = 100;

type Resources = BTreeMap<String, Physical>;

pub(super) async fn look(aws: &Aws) -> Result<Report> {
    let deployed = Deployed::get(aws).await?;
    let resources = deployed.resources(aws).await?;
    let (image, service, tasks, alarms, password) = tokio::join!(
        image(aws, &deployed, &resources),
        service(aws, &deployed, &resources),
        tasks(aws, &deployed, &resources),
        alarms(aws, &resources),
        admin::password_set(aws, &resources),
    );
    let mut unread = Vec::new();
    let parameter = |name: &str| deployed.parameters.get(name).filter(|value| !value.is_empty()).cloned();
    let domain = parameter("DomainName");
    let own_record = domain.clone().filter(|_| parameter("HostedZoneId").is_none());
    let balancer = deployed.outputs.get("LoadBalancerDnsName").cloned();
    let report = Report {
        well: false,
        troubles: Vec::new(),
        image: part(image, &mut unread),
        service: part(service, &mut unread),
        tasks: part(tasks, &mut unread),
        alarms: part(alarms, &mut unread),
        administrator_password_set: part(password, &mut unread),
        unread,
        url: domain.clone().filter(|_| balancer.is_some()).map(|domain| format!("https://{domain}/ak/<access key>")),
        record_to_make: own_record.zip(balancer).map(|(name, points_at)| Record { name, points_at }),
        outputs: deployed.outputs.clone(),
        stack: Stack {
            name: aws.stack.clone(),
            region: aws.region.clone(),
            state: deployed.status.as_str().to_owned(),
            reason: deployed.reason.clone(),
            protected: deployed.protected,
            domain,
            architecture: parameter("Architecture"),
        },
    };
    Ok(report.judged(deployed.phase()))
}

/// What was read, or nothing and why.
fn part<T: Default>(read: Result<T, Error>, unread: &mut Vec<String>) -> T {
    read.unwrap_or_else(|error| {
        unread.push(format!("{error:#}"));
        T::default()
    })
}

fn of_type<'a>(resources: &'a Resources, type_name: &str) -> impl Iterator<Item = &'a str> {
    resources.values().filter(move |resource| resource.type_name == type_name).map(|resource| resource.id.as_str())
}

async fn image(aws: &Aws, deployed: &Deployed, resources: &Resources) -> Result<Option<Image>> {
    let Some(digest) = deployed.image() else { return Ok(None) };
    let mut image = Image { digest: digest.to_owned(), tags: Vec::new(), pushed_at: None };
    let Some(repository) = of_type(resources, "AWS::ECR::Repository").next() else { return Ok(Some(image)) };
    let asked = aws.ecr().describe_images().repository_name(repository);
    match asked.image_ids(ImageIdentifier::builder().image_digest(digest).build()).send().await {
        Ok(answer) => {
            for found in answer.image_details() {
                image.tags.extend_from_slice(found.image_tags());
                image.pushed_at = found.image_pushed_at().and_then(|at| moment(at.secs()));
            }
        }
        // Deleted from the repository: tasks run on, and no other one starts.
        Err(error) if is_missing(&error) => {}
        Err(error) => return Err(told(error, "read the tags of the image")),
    }
    Ok(Some(image))
}

async fn service(aws: &Aws, deployed: &Deployed, resources: &Resources) -> Result<Option<Service>> {
    let Some((cluster, service)) = names(deployed, resources) else { return Ok(None) };
    let answer = aws.ecs().describe_services().cluster(cluster).services(service).send().await;
    let answer = answer.map_err(|error| told(error, "ask for the service"))?;
    let Some(service) = answer.services().first() else { return Ok(None) };
    let primary = service.deployments().iter().find(|deployment| deployment.status() == Some("PRIMARY"));
    let events = service.events().iter().take(EVENTS).map(|event| Event {
        at: event.created_at().and_then(|at| moment(at.secs())),
        message: event.message().unwrap_or_default().to_owned(),
    });
    Ok(Some(Service {
        state: service.status().unwrap_or("UNKNOWN").to_owned(),
        desired: service.desired_count(),
        running: service.running_count(),
        pending: service.pending_count(),
        rollout: primary.and_then(|primary| primary.rollout_state()).map(|state| state.as_str().to_owned()),
        rollout_reason: primary.and_then(|primary| primary.rollout_state_reason()).map(str::to_owned),
        events: events.collect(),
    }))
}

async fn tasks(aws: &Aws, deployed: &Deployed, resources: &Resources) -> Result<Vec<Task>> {
    let Some((cluster, service)) = names(deployed, resources) else { return Ok(Vec::new()) };
    let name = task_id(service);
    let mut pages = aws.ecs().list_tasks().cluster(cluster).service_name(name).into_paginator().send();
    let mut arns = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => arns.extend(page.task_arns.unwrap_or_default()),
            Err(error) if is_missing(&error) => return Ok(Vec::new()),
            Err(error) => return Err(told(error, "list the tasks of the service")),
        }
    }
    let mut tasks = Vec::new();
    for arns in arns.chunks(PAGE) {
        let answer = aws.ecs().describe_tasks().cluster(cluster).set_tasks(Some(arns.to_vec())).send().await;
        let answer = answer.map_err(|error| told(error, "describe the tasks of the service"))?;
        tasks.extend(answer.tasks().iter().map(|task| Task {
            id: task_id(task.task_arn().unwrap_or_default()).to_owned(),
            state: task.last_status().unwrap_or("UNKNOWN").to_owned(),
            health: task.health_status().map_or("UNKNOWN", |health| health.as_str()).to_owned(),
            started_at: task.started_at().and_then(|at| moment(at.secs())),
            digest: task.containers().iter().find_map(|container| container.image_digest()).map(str::to_owned),
        }));
    }
    tasks.sort_by(|a, b| (&a.started_at, &a.id).cmp(&(&b.started_at, &b.id)));
    Ok(tasks)
}

/// Cluster and service, where there is a service.
fn names<'a>(deployed: &'a Deployed, resources: &'a Resources) -> Option<(&'a str, &'a str)> {
    let cluster = deployed.outputs.get("ClusterName")?;
    Some((cluster, of_type(resources, "AWS::ECS::Service").next()?))
}

async fn alarms(aws: &Aws, resources: &Resources) -> Result<Option<Alarms>> {
    let names = names_of_alarms(resources);
    let mut alarms = Alarms { number: names.len(), ..Alarms::default() };
    for alarm in described(aws, &names).await? {
        let list = match alarm.state_value() {
            Some(StateValue::Alarm) => &mut alarms.alarm,
            Some(StateValue::InsufficientData) => &mut alarms.insufficient_data,
            _ => continue,
        };
        list.push(Alarm {
            name: alarm.alarm_name().unwrap_or_default().to_owned(),
            reason: alarm.state_reason().filter(|reason| !reason.is_empty()).map(str::to_owned),
            since: alarm.state_transitioned_timestamp().and_then(|at| moment(at.secs())),
        });
    }
    Ok(Some(alarms))
}

fn moment(seconds: i64) -> Option<String> {
    let at = Moment::<Utc>::from_timestamp(seconds, 0)?;
    Some(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}
