//! AWS Secrets Manager.

use super::macros::{resource, structure, words};
use super::{Arn, Name, Tag, kms, rds};
use crate::core::Value;

words! {
    TargetType { DbCluster = "AWS::RDS::DBCluster", }
}

structure! {
    GenerateSecretString {
        ;
        exclude_characters: Value<String>,
        exclude_punctuation: Value<bool>,
        generate_string_key: Value<String>,
        password_length: Value<i64>,
        secret_string_template: Value<String>,
    }
}

resource! {
    Secret = "AWS::SecretsManager::Secret" [TAGGABLE = true, STATEFUL = true] {
        ;
        description: Value<String>,
        generate_secret_string: GenerateSecretString,
        kms_key_id: Value<Arn<kms::Key>>,
        name: Value<Name<Secret>>,
        tags: Vec<Tag>,
    }
    => arn: Arn<Secret>;
}

resource! {
    SecretTargetAttachment = "AWS::SecretsManager::SecretTargetAttachment" {
        secret_id: Value<Arn<Secret>>,
        target_id: Value<Name<rds::DbCluster>>,
        target_type: TargetType,
        ;
    }
    => arn: Arn<Secret>;
}
