//! The workflow for forks, `templates/github-actions.yml`: whether it says what can be done, and no more may than has to.

use std::collections::BTreeSet;

use clap::Parser;
use serde_yaml::Value as Yaml;

use crate::Cli;

const WORKFLOW: &str = include_str!("../templates/github-actions.yml");

/// The verbs of `cargo xtask` that speak to nobody, and are of another program.
#[derive(Parser)]
enum Local {
    Build(xtask::build::Arguments),
    Test(xtask::test::Arguments),
}

fn workflow() -> Yaml {
    serde_yaml::from_str(WORKFLOW).expect("the workflow is YAML")
}

fn jobs(workflow: &Yaml) -> impl Iterator<Item = (&str, &Yaml)> {
    let jobs = workflow["jobs"].as_mapping().expect("jobs");
    jobs.iter().map(|(name, job)| (name.as_str().expect("a name"), job))
}

fn steps(job: &Yaml) -> impl Iterator<Item = &Yaml> {
    job["steps"].as_sequence().expect("steps").iter()
}

/// The commands in a text, without what the shell does with them.
fn commands(text: &str) -> Vec<Vec<&str>> {
    let beginnings = text.match_indices("cargo xtask ").map(|(at, _)| &text[at..]);
    let ends = ['\n', '`', '>', '|', '&', ';', ','];
    beginnings.map(|rest| rest.split(ends).next().unwrap_or_default().split_whitespace().collect()).collect()
}

#[test]
fn its_commands_are_ones_that_exist() {
    let mut verbs = BTreeSet::new();
    for words in commands(WORKFLOW) {
        verbs.insert(words[2]);
        let line = ["cargo xtask"].iter().chain(&words[2..]);
        let wrong = match words[2] {
            "build" | "test" => Local::try_parse_from(line).err(),
            _ => Cli::try_parse_from(line).err(),
        };
        assert!(wrong.is_none(), "{words:?}: {}", wrong.map(|wrong| wrong.to_string()).unwrap_or_default());
    }
    assert_eq!(verbs, BTreeSet::from(["build", "deploy", "diff", "policy", "status"]));
}

#[test]
fn everything_in_it_has_an_end_and_nothing_more_than_it_needs() {
    let workflow = workflow();
    assert_eq!(workflow["permissions"], serde_yaml::from_str::<Yaml>("contents: read").expect("YAML"));
    for (name, job) in jobs(&workflow) {
        assert!(job["timeout-minutes"].is_u64(), "{name} has no end");
        let logs_in = steps(job).any(|step| step["uses"].as_str().is_some_and(|uses| uses.starts_with("aws-actions/")));
        assert_eq!(job["permissions"]["id-token"] == "write", logs_in, "{name}");
        for step in steps(job) {
            if let Some((action, version)) = step["uses"].as_str().map(|uses| uses.split_once('@').expect("a version"))
            {
                let major = version.strip_prefix('v').is_some_and(|number| number.parse::<u8>().is_ok());
                assert!(major, "{action}@{version} is not pinned by its major version");
                let kept = action == "actions/checkout" && step["with"]["persist-credentials"] != false;
                assert!(!kept, "{name} leaves a token behind in the checkout");
            }
        }
    }
}

#[test]
fn main_is_deployed_once_at_a_time_and_only_after_its_tests() {
    let workflow = workflow();
    let (_, deploy) = jobs(&workflow).find(|(name, _)| *name == "deploy").expect("a job that deploys");
    assert_eq!(deploy["needs"], "test");
    assert!(deploy["concurrency"]["group"].is_string() && deploy["concurrency"]["cancel-in-progress"] == false);
    let condition = deploy["if"].as_str().expect("a condition");
    assert!(condition.contains("github.ref == 'refs/heads/main'") && condition.contains("github.event_name == 'push'"));
    let deploying =
        |job: &Yaml| steps(job).any(|step| step["run"].as_str().is_some_and(|run| run.contains("xtask deploy")));
    let all: Vec<_> = jobs(&workflow).filter(|(_, job)| deploying(job)).map(|(name, _)| name).collect();
    assert_eq!(all, ["deploy"]);
    let (_, test) = jobs(&workflow).find(|(name, _)| *name == "test").expect("a job that tests");
    assert!(steps(test).any(|step| step["run"] == ".ci/run"));
}
