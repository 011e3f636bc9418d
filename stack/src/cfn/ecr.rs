//! Amazon ECR.

use super::macros::{resource, structure, words};
use super::{Arn, Name, Tag, kms};
use crate::core::Value;

words! {
    ImageTagMutability { Immutable = "IMMUTABLE", Mutable = "MUTABLE", }
}

words! {
    EncryptionType { Aes256 = "AES256", Kms = "KMS", }
}

structure! {
    EncryptionConfiguration { encryption_type: EncryptionType, ; kms_key: Value<Arn<kms::Key>>, }
}

structure! {
    ImageScanningConfiguration { ; scan_on_push: Value<bool>, }
}

structure! {
    LifecyclePolicy { ; lifecycle_policy_text: Value<String>, }
}

resource! {
    Repository = "AWS::ECR::Repository" [TAGGABLE = true, STATEFUL = true] {
        ;
        empty_on_delete: Value<bool>,
        encryption_configuration: EncryptionConfiguration,
        image_scanning_configuration: ImageScanningConfiguration,
        image_tag_mutability: ImageTagMutability,
        lifecycle_policy: LifecyclePolicy,
        repository_name: Value<Name<Repository>>,
        tags: Vec<Tag>,
    }
    => name: Name<Repository>;
    arn = "Arn": Arn<Repository>;
    uri = "RepositoryUri": String;
}
