//! Validators of templates: a warning is a failure, and what is accepted is accepted in code, with a reason.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value as Json;
use stack::core::Assembly;
use stack::proxy_stack::proxy_stack;
use tempfile::TempDir;

/// Where developers of the proxy have Bedrock: each with its own resource types, versions and zones.
const REGIONS: [&str; 7] =
    ["ap-northeast-1", "ap-northeast-2", "ap-southeast-2", "eu-central-1", "eu-west-1", "us-east-1", "us-west-2"];

/// Prints a line for everything that is at least a warning.
const CLOUDFORMATION_VALIDATE: &str = "
import sys
from cloudformation_validate import CompositeEngine, PseudoParameterOverrides, ValidateConfig
engine = CompositeEngine()
for region in sys.argv[2:]:
    config = ValidateConfig(pseudo_parameter_overrides=PseudoParameterOverrides(region=region))
    for told in engine.validate_template(sys.argv[1], config).diagnostics:
        if told.severity.name not in ('INFO', 'DEBUG'):
            print(region, told.severity.name, told.rule_id, told.message)
";

/// A topic with a property that is none and without encryption.
const WRONG: &str = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties:\n      TopicNam: x\n";

fn validators(program: &str) -> Command {
    let folder =
        env::var("VALIDATORS").unwrap_or_else(|_| panic!("VALIDATORS is not set; run `cargo xtask test --only stack`"));
    Command::new(Path::new(&folder).join("bin").join(program))
}

fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"))
}

fn assembly() -> Assembly {
    proxy_stack().synth().unwrap_or_else(|told| panic!("{told}"))
}

/// Gives a validator the file with a template.
fn with_file<T>(template: &str, validate: impl FnOnce(&Path) -> T) -> T {
    let folder = TempDir::new().unwrap_or_else(|error| panic!("no folder: {error}"));
    let file = folder.path().join("template.yaml");
    fs::write(&file, template).unwrap_or_else(|error| panic!("the template is not written: {error}"));
    validate(&file)
}

fn cfn_lint(template: &str) -> Output {
    with_file(template, |file| {
        output(validators("cfn-lint").arg("--regions").args(REGIONS).arg("--template").arg(file))
    })
}

fn checkov(template: &str) -> Json {
    let said = with_file(template, |file| {
        let mut checkov = validators("checkov");
        // Without the second option it asks a server for names of rules.
        checkov.args(["--framework", "cloudformation", "--skip-download", "--compact", "--output", "json", "--file"]);
        output(checkov.arg(file))
    });
    let text = String::from_utf8_lossy(&said.stdout);
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}\n{}", String::from_utf8_lossy(&said.stderr)))
}

fn cloudformation_validate(template: &str) -> String {
    let said = with_file(template, |file| {
        output(validators("python").args(["-c", CLOUDFORMATION_VALIDATE]).arg(file).args(REGIONS))
    });
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8_lossy(&said.stdout).into_owned()
}

fn rules(results: &Json) -> BTreeSet<&str> {
    results.as_array().into_iter().flatten().filter_map(|result| result["check_id"].as_str()).collect()
}

#[test]
#[ignore = "needs validators: cargo xtask test --only stack"]
fn cfn_lint_has_nothing_to_say() {
    let said = cfn_lint(&assembly().yaml);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
    assert!(!cfn_lint(WRONG).status.success(), "it sees a mistake");
}

#[test]
#[ignore = "needs validators: cargo xtask test --only stack"]
fn checkov_fails_nothing_and_skips_what_the_code_accepts() {
    let assembly = assembly();
    let said = checkov(&assembly.yaml);
    assert_eq!(rules(&said["results"]["failed_checks"]), BTreeSet::new());
    let findings = assembly.template.resources.values().flat_map(|resource| &resource.findings);
    let accepted: BTreeSet<_> = findings.map(|it| it.rule.as_str()).filter(|rule| rule.starts_with("CKV")).collect();
    assert_eq!(rules(&said["results"]["skipped_checks"]), accepted, "an acceptance that accepts nothing has to go");
    assert_eq!(said["summary"]["resource_count"], assembly.template.resources.len());
    assert!(rules(&checkov(WRONG)["results"]["failed_checks"]).contains("CKV_AWS_26"), "it sees a mistake");
}

#[test]
#[ignore = "needs validators: cargo xtask test --only stack"]
fn cloudformation_validate_has_nothing_to_say() {
    assert_eq!(cloudformation_validate(&assembly().yaml), "");
    assert!(cloudformation_validate(WRONG).contains("TopicNam"), "it sees a mistake");
}
