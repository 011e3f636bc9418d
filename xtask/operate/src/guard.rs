//! What a deployment may not do without being told: lose what a resource holds.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::changes::{Change, Kind, Snapshot};

/// The resources of a stack that hold something: by their type, or because their template says that they stay.
pub(crate) fn stateful(snapshot: &Snapshot) -> BTreeSet<String> {
    let types: BTreeSet<_> =
        stack::cfn::catalogue().into_iter().filter(|entry| entry.stateful).map(|entry| entry.type_name).collect();
    let holds = |resource: &crate::changes::Resource| {
        let kept = matches!(resource.body["DeletionPolicy"].as_str(), Some(policy) if policy != "Delete");
        kept || types.contains(resource.type_name.as_str())
    };
    snapshot.resources.iter().filter(|(_, resource)| holds(resource)).map(|(id, _)| id.clone()).collect()
}

/// What would be lost and is not allowed, in words. `uncertain` are resources of which AWS knows only when it does it whether
/// they are made anew.
pub(crate) fn losses(
    changes: &[Change],
    uncertain: &[String],
    stateful: &BTreeSet<String>,
    allowed: &[String],
) -> Vec<String> {
    let word = |change: &Change| match change.kind {
        Kind::Replaced => Some("would be made anew, without what it holds"),
        Kind::Removed => Some("would leave the stack"),
        _ if uncertain.contains(&change.id) => Some("may be made anew, without what it holds"),
        _ => None,
    };
    changes
        .iter()
        .filter(|change| stateful.contains(&change.id) && !allowed.contains(&change.id))
        .filter_map(|change| word(change).map(|word| format!("{} {} {word}", change.type_name, change.id)))
        .collect()
}

/// The policy that lets AWS refuse the same, whoever asks: in the console too.
pub(crate) fn stack_policy(stateful: &BTreeSet<String>, allowed: &[String]) -> Json {
    let kept: Vec<_> =
        stateful.iter().filter(|id| !allowed.contains(id)).map(|id| format!("LogicalResourceId/{id}")).collect();
    let mut statements = vec![json!({ "Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*" })];
    if !kept.is_empty() {
        statements.push(json!({
            "Effect": "Deny", "Action": ["Update:Replace", "Update:Delete"], "Principal": "*", "Resource": kept,
        }));
    }
    json!({ "Statement": statements })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(id: &str, kind: Kind) -> Change {
        Change { id: id.to_owned(), type_name: "AWS::RDS::DBCluster".to_owned(), kind, properties: Vec::new() }
    }

    fn snapshot() -> Snapshot {
        let template = json!({ "Resources": {
            "Database": { "Type": "AWS::RDS::DBCluster" },
            "Own": { "Type": "Custom::Shelf", "DeletionPolicy": "Retain" },
            "Role": { "Type": "AWS::IAM::Role" },
        } });
        Snapshot::new(&template.to_string(), &crate::settings::Values::new()).unwrap_or_default()
    }

    #[test]
    fn what_holds_something_is_known_by_its_type_or_its_policy() {
        assert_eq!(stateful(&snapshot()).into_iter().collect::<Vec<_>>(), ["Database", "Own"]);
    }

    #[test]
    fn a_loss_is_refused_until_it_is_allowed_by_name() {
        let stateful = stateful(&snapshot());
        let changes =
            [change("Database", Kind::Replaced), change("Own", Kind::Removed), change("Role", Kind::Replaced)];
        assert_eq!(losses(&changes, &[], &stateful, &[]).len(), 2);
        assert_eq!(losses(&changes, &[], &stateful, &["Own".to_owned(), "Database".to_owned()]).len(), 0);
        let other = [change("Database", Kind::Changed)];
        assert!(losses(&other, &[], &stateful, &[]).is_empty());
        assert_eq!(losses(&other, &["Database".to_owned()], &stateful, &[]).len(), 1);
    }

    #[test]
    fn aws_refuses_the_same() {
        let policy = stack_policy(&stateful(&snapshot()), &["Own".to_owned()]);
        assert_eq!(policy["Statement"][1]["Resource"], json!(["LogicalResourceId/Database"]));
        assert_eq!(stack_policy(&BTreeSet::new(), &[])["Statement"].as_array().map(Vec::len), Some(1));
    }
}
