//! What is known of a deployment, and whether it is well.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::deployed::Phase;

/// The answer of `status`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// Whether it does what it shall.
    pub(crate) well: bool,
    /// Why it is not well.
    pub(crate) troubles: Vec<String>,
    /// What AWS did not tell, and why.
    pub(crate) unread: Vec<String>,
    pub(crate) stack: Stack,
    /// What runs; nothing before the first deployment has come to its end.
    pub(crate) image: Option<Image>,
    pub(crate) service: Option<Service>,
    pub(crate) tasks: Vec<Task>,
    /// Nothing where AWS did not tell.
    pub(crate) alarms: Option<Alarms>,
    /// Whether the administrator can log in; nothing where that is not known.
    pub(crate) administrator_password_set: Option<bool>,
    /// Where developers point Claude Code.
    pub(crate) url: Option<String>,
    /// The record that somebody has to make, because the stack does not know the zone.
    pub(crate) record_to_make: Option<Record>,
    pub(crate) outputs: BTreeMap<String, String>,
}

/// The stack.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Stack {
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    /// Whether AWS refuses to delete it.
    pub(crate) protected: bool,
    pub(crate) domain: Option<String>,
    pub(crate) architecture: Option<String>,
}

/// The image that the stack names.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Image {
    pub(crate) digest: String,
    /// Its names in the repository, the version among them.
    pub(crate) tags: Vec<String>,
    pub(crate) pushed_at: Option<String>,
}

/// The service.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Service {
    pub(crate) state: String,
    pub(crate) desired: i32,
    pub(crate) running: i32,
    pub(crate) pending: i32,
    /// Such as `COMPLETED`.
    pub(crate) rollout: Option<String>,
    pub(crate) rollout_reason: Option<String>,
    /// What ECS did last, newest first.
    pub(crate) events: Vec<Event>,
}

/// Something that ECS did.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Event {
    pub(crate) at: Option<String>,
    pub(crate) message: String,
}

/// A task of the service.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) health: String,
    pub(crate) started_at: Option<String>,
    /// What it runs, which is not what the stack names while an image is rolled out.
    pub(crate) digest: Option<String>,
}

/// The alarms of the stack.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Alarms {
    /// How many there are.
    pub(crate) number: usize,
    /// Those that have gone.
    pub(crate) alarm: Vec<Alarm>,
    /// Those that cannot say yet.
    pub(crate) insufficient_data: Vec<Alarm>,
}

/// An alarm.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Alarm {
    pub(crate) name: String,
    pub(crate) reason: Option<String>,
    pub(crate) since: Option<String>,
}

/// A record of a name.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) points_at: String,
}

impl Report {
    /// Decides whether all this is well.
    pub(crate) fn judged(mut self, phase: Phase) -> Self {
        self.troubles = self.reasons(phase);
        self.well = self.troubles.is_empty();
        self
    }

    fn reasons(&self, phase: Phase) -> Vec<String> {
        let mut troubles = Vec::new();
        let state = &self.stack.state;
        match phase {
            Phase::Steady => {}
            Phase::Draft => troubles.push("there is a change set, and nothing else: `cargo xtask deploy`".to_owned()),
            Phase::Working => troubles.push(format!("the stack is changing ({state})")),
            Phase::Stillborn => troubles
                .push(format!("the stack could not be made ({state}): `cargo xtask deploy` says why and what to do")),
            Phase::Stuck => troubles.push(format!("AWS has left the stack half changed ({state})")),
        }
        match &self.service {
            // Where ECS did not answer, that is told, and is no word about the service.
            None if phase == Phase::Steady && self.image.is_none() => {
                troubles.push("no image is deployed yet: `cargo xtask deploy`".to_owned());
            }
            None => {}
            Some(service) => {
                if service.state != "ACTIVE" {
                    troubles.push(format!("the service is {}", service.state));
                }
                if service.running < service.desired || service.desired == 0 {
                    troubles.push(format!("{} of {} tasks run", service.running, service.desired));
                }
                if service.rollout.as_deref() == Some("FAILED") {
                    troubles.push("the roll-out has failed".to_owned());
                }
            }
        }
        let unhealthy = self.tasks.iter().filter(|task| task.health == "UNHEALTHY");
        troubles.extend(unhealthy.map(|task| format!("task {} is unhealthy", task.id)));
        let gone = self.alarms.iter().flat_map(|alarms| &alarms.alarm);
        troubles.extend(gone.map(|alarm| format!("alarm {} has gone", alarm.name)));
        troubles
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn report() -> Report {
        Report {
            well: false,
            troubles: Vec::new(),
            unread: Vec::new(),
            stack: Stack {
                name: "claude-code-proxy".to_owned(),
                region: "eu-west-1".to_owned(),
                state: "UPDATE_COMPLETE".to_owned(),
                reason: None,
                protected: true,
                domain: Some("proxy.example.com".to_owned()),
                architecture: Some("ARM64".to_owned()),
            },
            image: Some(Image {
                digest: format!("sha256:{}", "ab".repeat(32)),
                tags: vec!["0.1.0-abababababab".to_owned()],
                pushed_at: None,
            }),
            service: Some(Service {
                state: "ACTIVE".to_owned(),
                desired: 2,
                running: 2,
                rollout: Some("COMPLETED".to_owned()),
                ..Service::default()
            }),
            tasks: vec![Task {
                id: "0123456789abcdef".to_owned(),
                state: "RUNNING".to_owned(),
                health: "HEALTHY".to_owned(),
                started_at: None,
                digest: None,
            }],
            alarms: Some(Alarms { number: 16, ..Alarms::default() }),
            administrator_password_set: Some(true),
            url: Some("https://proxy.example.com/ak/<access key>".to_owned()),
            record_to_make: None,
            outputs: BTreeMap::new(),
        }
    }

    pub(crate) fn alarms(report: &mut Report) -> &mut Alarms {
        report.alarms.get_or_insert_default()
    }

    fn told(change: impl FnOnce(&mut Report), phase: Phase) -> String {
        let mut report = report();
        change(&mut report);
        let report = report.judged(phase);
        assert_eq!(report.well, report.troubles.is_empty());
        report.troubles.join("; ")
    }

    #[test]
    fn what_runs_as_it_shall_is_well() {
        assert_eq!(told(|_| (), Phase::Steady), "");
        let no_data = Alarm { name: "HighLatency-Plan".to_owned(), reason: None, since: None };
        assert_eq!(told(|report| alarms(report).insufficient_data.push(no_data), Phase::Steady), "");
        assert_eq!(told(|report| report.administrator_password_set = Some(false), Phase::Steady), "");
    }

    #[test]
    fn every_trouble_is_told() {
        let few = |report: &mut Report| report.service.iter_mut().for_each(|service| service.running = 1);
        assert_eq!(told(few, Phase::Steady), "1 of 2 tasks run");
        let none =
            |report: &mut Report| report.service = Some(Service { state: "ACTIVE".into(), ..Service::default() });
        assert_eq!(told(none, Phase::Steady), "0 of 0 tasks run");
        let ill = |report: &mut Report| report.tasks[0].health = "UNHEALTHY".to_owned();
        assert_eq!(told(ill, Phase::Steady), "task 0123456789abcdef is unhealthy");
        let failed = |report: &mut Report| {
            report.service.iter_mut().for_each(|service| service.rollout = Some("FAILED".to_owned()));
        };
        assert_eq!(told(failed, Phase::Steady), "the roll-out has failed");
        let gone = Alarm { name: "UnhealthyTasks".to_owned(), reason: None, since: None };
        assert_eq!(told(|report| alarms(report).alarm.push(gone), Phase::Steady), "alarm UnhealthyTasks has gone");
        let nothing = |report: &mut Report| (report.image, report.service) = (None, None);
        assert!(told(nothing, Phase::Steady).contains("no image is deployed yet"));
        for phase in [Phase::Draft, Phase::Working, Phase::Stillborn, Phase::Stuck] {
            assert_ne!(told(|_| (), phase), "", "{phase:?}");
        }
    }
}
