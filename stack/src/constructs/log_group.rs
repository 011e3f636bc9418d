//! Log groups.

use crate::cfn::iam::Statement;
use crate::cfn::{Arn, logs};
use crate::core::{Handle, Policy, Scope, Value};

use super::{Key, Role};

/// A log group. Defaults: encrypted, kept when the stack goes; how long its lines are kept is for the caller to say.
#[derive(Clone)]
pub struct LogGroup {
    /// The way out.
    pub handle: Handle<logs::LogGroup>,
    /// Its name.
    pub name: String,
}

impl LogGroup {
    /// A log group of this name.
    #[track_caller]
    pub fn new(scope: &Scope, name: &str, log_group: &str, retention_days: &Value<i64>, key: &Key) -> Self {
        let handle = scope.child(name).main(
            logs::LogGroup::new()
                .log_group_name(Value::literal(log_group))
                .retention_in_days(retention_days)
                .kms_key_id(key.arn()),
        );
        handle.policy(Policy::Retain);
        Self { handle, name: log_group.to_owned() }
    }

    /// Lets a role write.
    pub fn grant_write(&self, role: &Role) -> &Self {
        let actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"];
        role.allow(Statement::allow(actions).on(&self.arn()));
        self
    }

    /// The ARN, with `:*` at its end as IAM wants it.
    pub fn arn(&self) -> Value<Arn<logs::LogGroup>> {
        self.handle.arn()
    }
}
