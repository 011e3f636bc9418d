//! What applies to every resource, wherever it is made.

use serde_json::json;
use stack::cfn::{kms, logs, rds, sns, sqs};
use stack::constructs::{Encrypted, StateSurvives};
use stack::core::{Handle, Policy, Stack};

use crate::support::template;

#[test]
fn what_holds_state_survives_unless_it_says_otherwise() {
    let stack = Stack::new("State");
    stack.aspect(StateSurvives);
    stack.add("Said", sqs::Queue::new()).policy(Policy::Delete);
    stack.add("Unsaid", sqs::Queue::new());
    stack.add("Stateless", sns::Topic::new());
    let template = stack.synth().expect("nothing is wrong").template;
    let policy = |path: &str| json!(template.at(path))["DeletionPolicy"].clone();
    assert_eq!(
        [policy("Said"), policy("Unsaid"), policy("Stateless")],
        [json!("Delete"), json!("Retain"), json!(null)]
    );
}

#[test]
fn what_holds_data_wants_a_key() {
    let stack = Stack::new("Data");
    stack.aspect(Encrypted);
    let key: Handle<kms::Key> = stack.add("Key", kms::Key::new(stack::cfn::iam::PolicyDocument::new([])));
    stack.add("Fine", logs::LogGroup::new().kms_key_id(key.arn()));
    stack.add("Open", logs::LogGroup::new());
    stack.add("Database", rds::DbCluster::new("aurora-postgresql"));
    let told = stack.synth().expect_err("two are without a key").to_string();
    assert!(told.starts_with("the stack has 2 mistakes\n"), "{told}");
    assert!(
        told.contains("  Open (")
            && told.contains("  Database (")
            && told.contains("`KmsKeyId` names no key; give it one"),
        "{told}"
    );
}

#[test]
fn everything_that_takes_tags_has_ours() {
    for resource in template().resources.values().filter(|resource| resource.taggable) {
        let tags = resource.property("/Tags");
        let ours = json!({ "Key": "project", "Value": "claude-code-proxy" });
        assert!(tags.as_array().is_some_and(|tags| tags.contains(&ours)), "{}: {tags}", resource.origin);
    }
}
