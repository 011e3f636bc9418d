//! Secrets.

use crate::cfn::iam::Statement;
use crate::cfn::secretsmanager::GenerateSecretString;
use crate::cfn::{Arn, secretsmanager};
use crate::core::{Handle, Policy, Scope, Value};

use super::{Key, Role};

/// A secret. Defaults: encrypted with the key that is given, kept when the stack goes, so that no deletion loses it.
#[derive(Clone)]
pub struct Secret {
    /// The way out.
    pub handle: Handle<secretsmanager::Secret>,
    key: Key,
}

impl Secret {
    /// A secret without a value: somebody else writes it.
    #[track_caller]
    pub fn empty(scope: &Scope, name: &str, secret_name: &str, description: &str, key: &Key) -> Self {
        let secret = secretsmanager::Secret::new()
            .name(Value::literal(secret_name))
            .description(description)
            .kms_key_id(key.arn());
        let handle = scope.child(name).main(secret);
        handle.policy(Policy::Retain);
        Self { handle, key: key.clone() }
    }

    /// Lets the value be so many random letters and digits, made once.
    #[must_use]
    pub fn random(self, length: i64) -> Self {
        let generate = GenerateSecretString::new().password_length(length).exclude_punctuation(true);
        self.handle.edit(|secret| secret.generate_secret_string = Some(generate));
        self
    }

    /// Lets the value be JSON with this user and a random password.
    #[must_use]
    pub fn log_in(self, user: &str) -> Self {
        let generate = GenerateSecretString::new()
            .password_length(48)
            .exclude_punctuation(true)
            .secret_string_template(format!(r#"{{"username":"{user}"}}"#))
            .generate_string_key("password");
        self.handle.edit(|secret| secret.generate_secret_string = Some(generate));
        self
    }

    /// Lets a role read the value.
    pub fn grant_read(&self, role: &Role) -> &Self {
        role.allow(
            Statement::allow(["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]).on(&self.arn()),
        );
        role.allow(Statement::allow(["kms:Decrypt"]).on(&self.key.arn()));
        self
    }

    /// A field of the JSON in it, which CloudFormation reads when it needs it and shows nobody.
    pub fn field(&self, field: &str) -> Value<String> {
        let reference = format!("{{{{resolve:secretsmanager:${{Secret}}:SecretString:{field}}}}}");
        Value::sub_with(&reference, [("Secret", self.arn().text())])
    }

    /// The ARN.
    pub fn arn(&self) -> Value<Arn<secretsmanager::Secret>> {
        self.handle.arn()
    }
}
