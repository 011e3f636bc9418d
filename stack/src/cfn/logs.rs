//! Amazon CloudWatch Logs.

use super::macros::resource;
use super::{Arn, Name, Tag, kms};
use crate::core::Value;

resource! {
    LogGroup = "AWS::Logs::LogGroup" [TAGGABLE = true, STATEFUL = true] {
        ;
        kms_key_id: Value<Arn<kms::Key>>,
        log_group_name: Value<Name<LogGroup>>,
        retention_in_days: Value<i64>,
        tags: Vec<Tag>,
    }
    => name: Name<LogGroup>;
    arn = "Arn": Arn<LogGroup>;
}
