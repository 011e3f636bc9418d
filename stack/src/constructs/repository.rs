//! Repositories of images.

use crate::cfn::ecr;
use crate::cfn::ecr::{EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability};
use crate::cfn::iam::Statement;
use crate::core::{Handle, Parameter, Policy, Scope, Value};

use super::{Key, Role};

/// The last thirty images are enough to go back.
const LIFECYCLE: &str = r#"{"rules":[{"rulePriority":1,"description":"Keep the last 30 images","selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":30},"action":{"type":"expire"}}]}"#;

/// A repository. Defaults: tags never move, images are scanned, encrypted, the last 30 stay; kept when the stack goes.
#[derive(Clone)]
pub struct Repository {
    /// The way out.
    pub handle: Handle<ecr::Repository>,
}

impl Repository {
    /// A repository of this name.
    #[track_caller]
    pub fn new(scope: &Scope, name: &str, repository_name: &str, key: &Key) -> Self {
        let handle = scope.child(name).main(
            ecr::Repository::new()
                .repository_name(Value::literal(repository_name))
                .image_tag_mutability(ImageTagMutability::Immutable)
                .image_scanning_configuration(ImageScanningConfiguration::new().scan_on_push(true))
                .encryption_configuration(EncryptionConfiguration::new(EncryptionType::Kms).kms_key(key.arn()))
                .lifecycle_policy(ecr::LifecyclePolicy::new().lifecycle_policy_text(LIFECYCLE)),
        );
        handle.policy(Policy::Retain);
        Self { handle }
    }

    /// A parameter for the digest of an image, which may be left out.
    pub fn digest_parameter(description: &str) -> Parameter<String> {
        let pattern = ["^$|^sha256:[0-9a-f]{64}$", "sha256: and 64 hexadecimal digits, or nothing"];
        Parameter::optional(description).pattern(pattern)
    }

    /// The image with a digest such as `sha256:...`.
    pub fn image(&self, digest: &Value<String>) -> Value<String> {
        Value::join("@", [self.handle.uri(), digest.clone()])
    }

    /// Lets a role pull.
    pub fn grant_pull(&self, role: &Role) -> &Self {
        role.allow(Statement::allow(["ecr:GetAuthorizationToken"]).on_all());
        let actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
        role.allow(Statement::allow(actions).on(&self.handle.arn()));
        self
    }
}
