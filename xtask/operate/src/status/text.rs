//! The report as people read it.

use std::fmt::{Display, Formatter, Result};

use super::report::{Alarm, Alarms, Report, Service, Task};

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let stack = &self.stack;
        let mut line = |label: &str, text: String| writeln!(out, "{label:<14}{text}");
        let word = if self.well { "well" } else { "NOT WELL" };
        line(word, format!("{} in {}", stack.name, stack.region))?;
        for trouble in self.troubles.iter().chain(&self.unread) {
            line("", format!("! {trouble}"))?;
        }
        let protected = if stack.protected { ", protected" } else { ", NOT protected against deletion" };
        let reason = stack.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        line("stack", format!("{}{protected}{reason}", stack.state))?;
        if stack.state == "UPDATE_ROLLBACK_COMPLETE" {
            line("", "the last deployment failed, and what was before it runs".to_owned())?;
        }
        if let Some(image) = &self.image {
            let tags = if image.tags.is_empty() { "no tag".to_owned() } else { image.tags.join(", ") };
            let pushed = image.pushed_at.as_deref().map(|at| format!(", pushed {at}")).unwrap_or_default();
            line("image", format!("{tags}{pushed}"))?;
            line(
                "",
                [Some(image.digest.as_str()), stack.architecture.as_deref()]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" "),
            )?;
        }
        if let Some(service) = &self.service {
            line("service", counts(service))?;
            for event in &service.events {
                line("", format!("{} {}", event.at.as_deref().unwrap_or_default(), event.message))?;
            }
        }
        let deployed = self.image.as_ref().map(|image| image.digest.as_str());
        for (at, task) in self.tasks.iter().enumerate() {
            line(if at == 0 { "tasks" } else { "" }, of_task(task, deployed))?;
        }
        if let Some(alarms) = &self.alarms {
            line("alarms", quiet(alarms))?;
            for alarm in &alarms.alarm {
                line("", gone(alarm))?;
            }
        }
        match self.administrator_password_set {
            Some(true) => line("administrator", "has a password".to_owned())?,
            Some(false) => line("administrator", "has NO password yet: `cargo xtask admin set-password`".to_owned())?,
            None => {}
        }
        if let Some(url) = &self.url {
            line("developers", format!("export ANTHROPIC_BASE_URL={url}"))?;
        }
        if let Some(record) = &self.record_to_make {
            let (name, points_at) = (&record.name, &record.points_at);
            line("DNS", format!("{name} has to be a CNAME (or an alias) of {points_at}, which is yours to make"))?;
        }
        for (at, (name, value)) in self.outputs.iter().enumerate() {
            line(if at == 0 { "outputs" } else { "" }, format!("{name} {value}"))?;
        }
        Ok(())
    }
}

fn counts(service: &Service) -> String {
    let rollout =
        service.rollout.as_deref().map(|state| format!("; roll-out {}", state.to_lowercase().replace('_', " ")));
    let reason = service.rollout_reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!(
        "{} of {} tasks run, {} start{}{reason}",
        service.running,
        service.desired,
        service.pending,
        rollout.unwrap_or_default()
    )
}

fn of_task(task: &Task, deployed: Option<&str>) -> String {
    let since = task.started_at.as_deref().map(|at| format!(" since {at}")).unwrap_or_default();
    let other = task.digest.as_deref().filter(|digest| Some(*digest) != deployed);
    let other = other.map(|digest| format!(", runs another image: {digest}")).unwrap_or_default();
    format!("{} {} {}{since}{other}", task.id, task.state.to_lowercase(), task.health.to_lowercase())
}

/// Those that cannot say yet are named only: after a deployment they are most.
fn quiet(alarms: &Alarms) -> String {
    let without: Vec<_> = alarms.insufficient_data.iter().map(|alarm| alarm.name.as_str()).collect();
    let quiet = alarms.number.saturating_sub(alarms.alarm.len() + without.len());
    let without = if without.is_empty() { String::new() } else { format!("; no data yet: {}", without.join(", ")) };
    format!("{quiet} of {} are quiet{without}", alarms.number)
}

fn gone(alarm: &Alarm) -> String {
    let since = alarm.since.as_deref().map(|at| format!(" since {at}")).unwrap_or_default();
    let reason = alarm.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("ALARM {}{since}{reason}", alarm.name)
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::{alarms, report};
    use super::super::report::{Alarm, Record};
    use crate::deployed::Phase;

    #[test]
    fn people_read_what_matters() {
        let mut report = report();
        alarms(&mut report).alarm.push(Alarm {
            name: "CircuitOpen".into(),
            reason: Some("1 datapoint".into()),
            since: None,
        });
        alarms(&mut report).insufficient_data.push(Alarm { name: "Target5xx".into(), reason: None, since: None });
        report.administrator_password_set = Some(false);
        report.record_to_make = Some(Record { name: "proxy.example.com".into(), points_at: "lb.example.net".into() });
        report.tasks[0].digest = Some("sha256:older".to_owned());
        let text = report.judged(Phase::Steady).to_string();
        for part in [
            "NOT WELL      claude-code-proxy in eu-west-1",
            "! alarm CircuitOpen has gone",
            "stack         UPDATE_COMPLETE, protected",
            "image         0.1.0-abababababab",
            "2 of 2 tasks run, 0 start; roll-out completed",
            "runs another image: sha256:older",
            "14 of 16 are quiet; no data yet: Target5xx",
            "ALARM CircuitOpen: 1 datapoint",
            "cargo xtask admin set-password",
            "export ANTHROPIC_BASE_URL=https://proxy.example.com/ak/<access key>",
            "proxy.example.com has to be a CNAME (or an alias) of lb.example.net",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }
}
