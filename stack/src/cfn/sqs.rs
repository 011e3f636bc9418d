//! Amazon SQS.

use super::iam::PolicyDocument;
use super::macros::resource;
use super::{Arn, Id, Name, Tag, kms};
use crate::core::Value;

resource! {
    Queue = "AWS::SQS::Queue" [TAGGABLE = true, STATEFUL = true] {
        ;
        kms_master_key_id: Value<Id<kms::Key>>,
        message_retention_period: Value<i64>,
        queue_name: Value<String>,
        visibility_timeout: Value<i64>,
        tags: Vec<Tag>,
    }
    => url: Id<Queue>;
    arn = "Arn": Arn<Queue>;
    name = "QueueName": Name<Queue>;
}

resource! {
    QueuePolicy = "AWS::SQS::QueuePolicy" {
        queues: Vec<Value<Id<Queue>>>,
        policy_document: PolicyDocument,
        ;
    }
}
