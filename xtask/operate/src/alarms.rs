//! The alarms of the stack: those that undo an update, and those that have gone.

use std::collections::BTreeMap;

use anyhow::Result;
use aws_sdk_cloudwatch::types::{MetricAlarm, StateValue};
use xtask::progress::loud;

use crate::aws::{Aws, Identity};
use crate::deployed::Physical;
use crate::failure::told;

/// The most alarms that AWS describes in an answer.
const PAGE: usize = 100;
/// Alarms that say that the service itself does not work; those of the providers may go for reasons of their own.
const TRIGGERS: [&str; 3] = ["UnhealthyTasks", "Target5xx", "LoadBalancer5xx"];

/// The names of the stack's alarms.
pub(crate) fn names(resources: &BTreeMap<String, Physical>) -> Vec<String> {
    let alarms = resources.values().filter(|made| made.type_name == "AWS::CloudWatch::Alarm");
    alarms.map(|made| made.id.clone()).collect()
}

/// Alarms by their names.
pub(crate) async fn described(aws: &Aws, names: &[String]) -> Result<Vec<MetricAlarm>> {
    let mut alarms = Vec::new();
    for names in names.chunks(PAGE) {
        let asked = aws.cloudwatch().describe_alarms().set_alarm_names(Some(names.to_vec())).send().await;
        let answer = asked.map_err(|error| told(error, "ask for the alarms"))?;
        alarms.extend(answer.metric_alarms.unwrap_or_default());
    }
    Ok(alarms)
}

/// ARNs of the alarms that undo an update. One that has gone already is left out: it would undo the very update that mends it.
pub(crate) async fn triggers(aws: &Aws, resources: &BTreeMap<String, Physical>) -> Result<Vec<String>> {
    let known: Vec<_> = names(resources).into_iter().filter(|name| TRIGGERS.contains(&name.as_str())).collect();
    let described = described(aws, &known).await?;
    let red = |name: &str| {
        let alarm = described.iter().find(|alarm| alarm.alarm_name() == Some(name));
        alarm.is_some_and(|alarm| alarm.state_value() == Some(&StateValue::Alarm))
    };
    let Identity { account, partition } = aws.identity().await?;
    let arn = |name: &String| format!("arn:{partition}:cloudwatch:{}:{account}:alarm:{name}", aws.region);
    let (gone, quiet): (Vec<_>, Vec<_>) = known.iter().partition(|name| red(name));
    for name in gone {
        loud(format_args!("the alarm {name} has gone already: it will not undo this update"));
    }
    Ok(quiet.into_iter().map(arn).collect())
}
