//! AWS IAM: roles, policies, and the language of policy documents.

use std::collections::BTreeMap;

use serde::Serialize;

use super::macros::{resource, structure};
use super::{Arn, Name, Tag};
use crate::core::{Described, Shape, Value};

/// Who a statement is about.
#[derive(Clone, Debug, Serialize)]
pub enum Principal {
    /// Services of AWS, such as `ecs-tasks.amazonaws.com`.
    Service(Value<String>),
    /// Accounts and roles by ARN.
    #[serde(rename = "AWS")]
    Aws(Value<String>),
}

/// Allows or denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Effect {
    Allow,
    Deny,
}

/// A statement of a policy.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    pub effect: Effect,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
    pub action: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<Value<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub condition: BTreeMap<String, BTreeMap<String, Value<String>>>,
}

impl Statement {
    /// Allows actions.
    pub fn allow<const N: usize>(actions: [&str; N]) -> Self {
        Self {
            sid: None,
            effect: Effect::Allow,
            principal: None,
            action: actions.map(str::to_owned).to_vec(),
            resource: Vec::new(),
            condition: BTreeMap::new(),
        }
    }

    /// Denies actions, whoever else allows them.
    pub fn deny<const N: usize>(actions: [&str; N]) -> Self {
        Self { effect: Effect::Deny, ..Self::allow(actions) }
    }

    /// Names the statement, for whoever reads the policy.
    #[must_use]
    pub fn sid(mut self, sid: &str) -> Self {
        self.sid = Some(sid.to_owned());
        self
    }

    /// To a principal, in the policy of a resource.
    #[must_use]
    pub fn to(mut self, principal: Principal) -> Self {
        self.principal = Some(principal);
        self
    }

    /// On one thing more.
    #[must_use]
    pub fn on<T>(mut self, resource: &Value<T>) -> Self {
        self.resource.push(resource.text());
        self
    }

    /// On everything; in the policy of a resource, on that resource.
    #[must_use]
    pub fn on_all(self) -> Self {
        self.on(&Value::<String>::from("*"))
    }

    /// Only where the condition holds.
    #[must_use]
    pub fn when(mut self, operator: &str, key: &str, value: impl Into<Value<String>>) -> Self {
        self.condition.entry(operator.to_owned()).or_default().insert(key.to_owned(), value.into());
        self
    }
}

/// A policy document.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDocument {
    version: &'static str,
    pub statement: Vec<Statement>,
}

impl PolicyDocument {
    /// A document of these statements.
    pub fn new(statements: impl Into<Vec<Statement>>) -> Self {
        Self { version: "2012-10-17", statement: statements.into() }
    }
}

impl Described for PolicyDocument {
    fn shape() -> Shape {
        Shape::Free
    }
}

structure! {
    InlinePolicy { policy_name: Value<String>, policy_document: PolicyDocument, ; }
}

resource! {
    Role = "AWS::IAM::Role" [TAGGABLE = true, CAPABILITY = Some("CAPABILITY_IAM")] {
        assume_role_policy_document: PolicyDocument,
        ;
        description: Value<String>,
        managed_policy_arns: Vec<Value<String>>,
        policies: Vec<InlinePolicy>,
        tags: Vec<Tag>,
    }
    => name: Name<Role>;
    arn = "Arn": Arn<Role>;
}

resource! {
    Policy = "AWS::IAM::Policy" [CAPABILITY = Some("CAPABILITY_IAM")] {
        policy_name: Value<String>,
        policy_document: PolicyDocument,
        ;
        roles: Vec<Value<Name<Role>>>,
    }
}
