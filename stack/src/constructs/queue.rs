//! Queues.

use crate::cfn::iam::{PolicyDocument, Principal, Statement};
use crate::cfn::{Arn, sqs};
use crate::core::{Handle, Policy, Scope, Value};

use super::{Key, Metric, Role};

/// A queue. Defaults: encrypted, TLS only, messages kept for 14 days, kept itself when the stack goes.
#[derive(Clone)]
pub struct Queue {
    /// The way out.
    pub handle: Handle<sqs::Queue>,
    key: Key,
}

impl Queue {
    /// A queue of this name.
    #[track_caller]
    pub fn new(scope: &Scope, name: &str, queue_name: &str, key: &Key) -> Self {
        let scope = scope.child(name);
        let handle = scope.main(
            sqs::Queue::new()
                .queue_name(queue_name)
                .kms_master_key_id(key.id())
                .message_retention_period(14 * 24 * 3600),
        );
        handle.policy(Policy::Retain);
        let tls = Statement::deny(["sqs:*"]).sid("TlsOnly").to(Principal::Aws("*".into())).on(&handle.arn()).when(
            "Bool",
            "aws:SecureTransport",
            "false",
        );
        scope.add("Policy", sqs::QueuePolicy::new([handle.url()], PolicyDocument::new([tls])));
        Self { handle, key: key.clone() }
    }

    /// Lets a role send messages.
    pub fn grant_send(&self, role: &Role) -> &Self {
        role.allow(Statement::allow(["sqs:SendMessage", "sqs:GetQueueUrl"]).on(&self.arn()));
        role.allow(Statement::allow(["kms:GenerateDataKey", "kms:Decrypt"]).on(&self.key.arn()));
        self
    }

    /// Lets a role receive messages and delete them.
    pub fn grant_receive(&self, role: &Role) -> &Self {
        let actions =
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"];
        role.allow(Statement::allow(actions).on(&self.arn()));
        role.allow(Statement::allow(["kms:Decrypt"]).on(&self.key.arn()));
        self
    }

    /// The age of the oldest message, in seconds.
    pub fn age(&self) -> Metric {
        Metric::maximum("AWS/SQS", "ApproximateAgeOfOldestMessage").of("QueueName", &self.handle.name())
    }

    /// The ARN.
    pub fn arn(&self) -> Value<Arn<sqs::Queue>> {
        self.handle.arn()
    }
}
