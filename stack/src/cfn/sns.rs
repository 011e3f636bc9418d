//! Amazon SNS.

use super::iam::PolicyDocument;
use super::macros::{resource, words};
use super::{Arn, Id, Name, Tag, kms};
use crate::core::Value;

words! {
    Protocol { Email = "email", Https = "https", Sqs = "sqs", }
}

resource! {
    Topic = "AWS::SNS::Topic" [TAGGABLE = true] {
        ;
        kms_master_key_id: Value<Id<kms::Key>>,
        topic_name: Value<String>,
        tags: Vec<Tag>,
    }
    => arn: Arn<Topic>;
    name = "TopicName": Name<Topic>;
}

resource! {
    TopicPolicy = "AWS::SNS::TopicPolicy" {
        topics: Vec<Value<Arn<Topic>>>,
        policy_document: PolicyDocument,
        ;
    }
}

resource! {
    Subscription = "AWS::SNS::Subscription" {
        topic_arn: Value<Arn<Topic>>,
        protocol: Protocol,
        ;
        endpoint: Value<String>,
    }
}
