//! Keys of KMS, and who may use them.

use crate::cfn::iam::{PolicyDocument, Principal, Statement};
use crate::cfn::{Arn, Id, iam, kms};
use crate::core::{Handle, Policy, Scope, Value};

use super::Role;

/// Managing a key is not using it: no `Encrypt`, no `Decrypt`, and no `CreateGrant`, with which one could give oneself both.
const ADMINISTRATION: [&str; 13] = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:Delete*",
    "kms:Describe*",
    "kms:Disable*",
    "kms:Enable*",
    "kms:Get*",
    "kms:List*",
    "kms:Put*",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:Update*",
];

/// A symmetric key. Defaults: rotated every year, kept when the stack goes, 30 days to change one's mind about deleting it.
#[derive(Clone)]
pub struct Key {
    /// The way out.
    pub handle: Handle<kms::Key>,
}

/// Who decides on the use of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decryption {
    /// The key's policy alone, so that no IAM policy, however broad, opens what is encrypted.
    ByGrantOnly,
    /// The key's policy and IAM, as services need that act in the name of whoever calls them.
    ByIam,
}

impl Key {
    /// A key with an alias.
    #[track_caller]
    pub fn new(scope: &Scope, name: &str, alias: &str, description: &str, decryption: Decryption) -> Self {
        let scope = scope.child(name);
        let account = Principal::Aws(Value::sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root"));
        let root = match decryption {
            Decryption::ByGrantOnly => Statement::allow(ADMINISTRATION).sid("AccountAdministersOnly"),
            Decryption::ByIam => Statement::allow(["kms:*"]).sid("AccountDecides"),
        };
        let handle = scope.main(
            kms::Key::new(PolicyDocument::new([root.to(account).on_all()]))
                .description(description)
                .enable_key_rotation(true)
                .key_spec(kms::KeySpec::SymmetricDefault)
                .key_usage(kms::KeyUsage::EncryptDecrypt)
                .pending_window_in_days(30),
        );
        handle.policy(Policy::Retain);
        scope.add("Alias", kms::Alias::new(Value::literal(format!("alias/{alias}")), handle.id()));
        Self { handle }
    }

    /// Adds to the key's policy.
    pub fn allow(&self, statement: Statement) -> &Self {
        self.handle.edit(|key| key.key_policy.statement.push(statement.on_all()));
        self
    }

    /// Lets a role encrypt, decrypt and change from one key to another, under an encryption context that names what it is about.
    pub fn grant_use(&self, role: &Role, context: &str) -> &Self {
        let statement =
            Statement::allow(["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"]).sid("Use");
        self.allow(statement.to(role.principal()).when("Null", &format!("kms:EncryptionContext:{context}"), "false"))
    }

    /// Lets a role manage the key without using it.
    pub fn grant_administration(&self, role: &Value<Arn<iam::Role>>) -> &Self {
        self.allow(Statement::allow(ADMINISTRATION).sid("Administration").to(Principal::Aws(role.text())))
    }

    /// Lets CloudWatch Logs encrypt the log groups of this account.
    pub fn grant_logs(&self) -> &Self {
        let logs = Principal::Service(Value::sub("logs.${AWS::Region}.${AWS::URLSuffix}"));
        let actions = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"];
        let groups = Value::sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*");
        let statement = Statement::allow(actions).sid("Logs").to(logs);
        self.allow(statement.when("ArnLike", "kms:EncryptionContext:aws:logs:arn", groups))
    }

    /// Lets the alarms of this account publish to encrypted topics.
    pub fn grant_alarms(&self) -> &Self {
        let alarms = Principal::Service("cloudwatch.amazonaws.com".into());
        let statement = Statement::allow(["kms:Decrypt", "kms:GenerateDataKey*"]).sid("Alarms").to(alarms);
        self.allow(statement.when("StringEquals", "aws:SourceAccount", crate::core::account_id()))
    }

    /// The ARN.
    pub fn arn(&self) -> Value<Arn<kms::Key>> {
        self.handle.arn()
    }

    /// The id.
    pub fn id(&self) -> Value<Id<kms::Key>> {
        self.handle.id()
    }
}
