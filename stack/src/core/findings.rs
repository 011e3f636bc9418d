//! Findings of validators that are accepted, written in the code with a reason and put where each validator looks for them.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

/// A finding that stays, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The validator's name of the rule, such as `CKV_AWS_260` or `W3011`.
    pub rule: String,
    /// Why it does not apply, for whoever reviews it.
    pub reason: String,
}

impl Finding {
    /// The part of a resource's metadata that silences the validators.
    pub(crate) fn metadata(findings: &[Self]) -> BTreeMap<String, Json> {
        let of = |tool: Tool| findings.iter().filter(move |finding| Tool::of(&finding.rule) == tool);
        let rules = |tool| of(tool).map(|finding| finding.rule.as_str()).collect::<Vec<_>>();
        let mut metadata = BTreeMap::new();
        let mut put = |tool, key: &str, json: Json| {
            if of(tool).next().is_some() {
                metadata.insert(key.to_owned(), json);
            }
        };
        let checkov = of(Tool::Checkov).map(|finding| json!({ "id": finding.rule, "comment": finding.reason }));
        put(Tool::Checkov, "checkov", json!({ "skip": checkov.collect::<Vec<_>>() }));
        put(Tool::CfnLint, "cfn-lint", json!({ "config": { "ignore_checks": rules(Tool::CfnLint) } }));
        let nag = of(Tool::CdkNag).map(|finding| json!({ "id": finding.rule, "reason": finding.reason }));
        put(Tool::CdkNag, "cdk_nag", json!({ "rules_to_suppress": nag.collect::<Vec<_>>() }));
        put(Tool::Guard, "guard", json!({ "SuppressedRules": rules(Tool::Guard) }));
        metadata
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tool {
    Checkov,
    CfnLint,
    CdkNag,
    Guard,
}

impl Tool {
    /// The names of rules tell the validators apart.
    fn of(rule: &str) -> Self {
        let digits =
            rule.get(1..).is_some_and(|rest| rest.len() == 4 && rest.bytes().all(|byte| byte.is_ascii_digit()));
        if rule.starts_with("CKV") {
            Self::Checkov
        } else if rule.starts_with(['E', 'W', 'I']) && digits {
            Self::CfnLint
        } else if rule.starts_with("AwsSolutions-") {
            Self::CdkNag
        } else {
            Self::Guard
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_validator_finds_its_own() {
        let accept = |rule: &str| Finding { rule: rule.to_owned(), reason: "because".to_owned() };
        let rules = ["CKV_AWS_260", "W3011", "AwsSolutions-EC23", "EC2_SECURITY_GROUP_OPEN"].map(accept);
        let metadata = Finding::metadata(&rules);
        assert_eq!(metadata["checkov"], json!({ "skip": [{ "id": "CKV_AWS_260", "comment": "because" }] }));
        assert_eq!(metadata["cfn-lint"], json!({ "config": { "ignore_checks": ["W3011"] } }));
        assert_eq!(
            metadata["cdk_nag"],
            json!({ "rules_to_suppress": [{ "id": "AwsSolutions-EC23", "reason": "because" }] })
        );
        assert_eq!(metadata["guard"], json!({ "SuppressedRules": ["EC2_SECURITY_GROUP_OPEN"] }));
        assert!(Finding::metadata(&[]).is_empty());
    }
}
