//! Log groups.

use crate::cfn::iam::Statement;
use crate::cfn::{Arn, logs};
use crate::core::{Handle, Parameter, Policy, Scope, Value};

use super::{Key, Role};

/// Days for which CloudWatch can keep lines.
const DAYS: [i64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

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

    /// A parameter for how long lines are kept.
    pub fn retention_parameter(days: i64) -> Parameter<i64> {
        Parameter::number("Days that logs are kept").default(days).allowed(DAYS)
    }

    /// Lets a role write.
    pub fn grant_write(&self, role: &Role) -> &Self {
        let actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"];
        role.allow(Statement::allow(actions).on(&self.arn()));
        self
    }

    /// The ARN as services want it that deliver logs: without the `:*` at its end.
    pub fn destination(&self) -> Value<Arn<logs::LogGroup>> {
        let arn = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Name}";
        Value::<String>::sub_with(arn, [("Name", self.handle.name().text())]).cast()
    }

    /// The ARN, with `:*` at its end as IAM wants it.
    pub fn arn(&self) -> Value<Arn<logs::LogGroup>> {
        self.handle.arn()
    }
}
