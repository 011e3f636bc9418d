//! Topics that alarms speak to.

use crate::cfn::iam::{PolicyDocument, Principal, Statement};
use crate::cfn::{Arn, sns};
use crate::core::{Condition, Handle, Scope, Value};

use super::Key;

/// A topic for alarms. Defaults: encrypted, TLS only, published to by the alarms of this account and nobody else.
#[derive(Clone)]
pub struct Topic {
    /// The way out.
    pub handle: Handle<sns::Topic>,
    scope: Scope,
}

impl Topic {
    /// A topic of this name.
    #[track_caller]
    pub fn new(scope: &Scope, name: &str, topic_name: &str, key: &Key) -> Self {
        let scope = scope.child(name);
        let handle = scope.main(sns::Topic::new().topic_name(topic_name).kms_master_key_id(key.id()));
        let alarms = Value::sub("arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*");
        let publish = Statement::allow(["sns:Publish"])
            .sid("Alarms")
            .to(Principal::Service("cloudwatch.amazonaws.com".into()))
            .on(&handle.arn())
            .when("ArnLike", "aws:SourceArn", alarms);
        let tls = Statement::deny(["sns:Publish"])
            .sid("TlsOnly")
            .to(Principal::Aws("*".into()))
            .on(&handle.arn())
            .when("Bool", "aws:SecureTransport", "false");
        scope.add("Policy", sns::TopicPolicy::new([handle.arn()], PolicyDocument::new([publish, tls])));
        Self { handle, scope }
    }

    /// Sends a mail to an address, where one is given.
    #[must_use]
    #[track_caller]
    pub fn mail(self, address: &Value<String>, given: &Condition) -> Self {
        let subscription = sns::Subscription::new(self.arn(), sns::Protocol::Email).endpoint(address);
        self.scope.add("Mail", subscription).only_if(given);
        self
    }

    /// The ARN.
    pub fn arn(&self) -> Value<Arn<sns::Topic>> {
        self.handle.arn()
    }
}
