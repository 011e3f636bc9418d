//! AWS KMS.

use super::iam::PolicyDocument;
use super::macros::{resource, words};
use super::{Arn, Id, Name, Tag};
use crate::core::Value;

words! {
    KeySpec { SymmetricDefault = "SYMMETRIC_DEFAULT", }
}

words! {
    KeyUsage { EncryptDecrypt = "ENCRYPT_DECRYPT", }
}

resource! {
    Key = "AWS::KMS::Key" [TAGGABLE = true, STATEFUL = true] {
        key_policy: PolicyDocument,
        ;
        description: Value<String>,
        enable_key_rotation: Value<bool>,
        key_spec: KeySpec,
        key_usage: KeyUsage,
        pending_window_in_days: Value<i64>,
        tags: Vec<Tag>,
    }
    => id: Id<Key>;
    arn = "Arn": Arn<Key>;
}

resource! {
    Alias = "AWS::KMS::Alias" {
        alias_name: Value<Name<Alias>>,
        target_key_id: Value<Id<Key>>,
        ;
    }
    => name: Name<Alias>;
}
