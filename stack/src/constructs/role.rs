//! Roles, which services of AWS act under.

use crate::cfn::iam::{InlinePolicy, PolicyDocument, Principal, Statement};
use crate::cfn::{Arn, iam};
use crate::core::{Handle, Scope, Value, account_id};

/// A role of a service. Defaults: only in the name of this account, and allowed nothing until something is granted.
#[derive(Clone)]
pub struct Role {
    /// The way out.
    pub handle: Handle<iam::Role>,
}

impl Role {
    /// A role that a service may take, such as `ecs-tasks.amazonaws.com`.
    #[track_caller]
    pub fn new(scope: &Scope, name: &str, service: &str, description: &str) -> Self {
        let trust = Statement::allow(["sts:AssumeRole"]).to(Principal::Service(service.into()));
        // Against a service that is made to act for a stranger.
        let trust = trust.when("StringEquals", "aws:SourceAccount", account_id());
        let role = iam::Role::new(PolicyDocument::new([trust])).description(description);
        Self { handle: scope.child(name).main(role) }
    }

    /// Adds a policy that AWS keeps.
    pub fn managed(&self, policy: &str) -> &Self {
        let arn = Value::sub(&format!("arn:${{AWS::Partition}}:iam::aws:policy/{policy}"));
        self.handle.edit(|role| role.managed_policy_arns.get_or_insert_default().push(arn));
        self
    }

    /// Allows the role something.
    pub fn allow(&self, statement: Statement) -> &Self {
        // In the role itself, so that it is complete before anything runs under it.
        self.handle.edit(|role| match role.policies.get_or_insert_default().first_mut() {
            Some(policy) => policy.policy_document.statement.push(statement),
            None => {
                role.policies = Some(vec![InlinePolicy::new("Access", PolicyDocument::new([statement]))]);
            }
        });
        self
    }

    /// The role as the principal of a resource's policy.
    pub fn principal(&self) -> Principal {
        Principal::Aws(self.arn().text())
    }

    /// The ARN.
    pub fn arn(&self) -> Value<Arn<iam::Role>> {
        self.handle.arn()
    }
}
