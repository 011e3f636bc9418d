//! Aspects that every stack wants: nothing that holds data is lost by an oversight, or lies open.

use crate::core::{Aspect, Policy, Problem, Resource};

/// Keeps what holds state when it leaves the stack, unless the resource says otherwise itself.
#[derive(Clone, Copy, Debug)]
pub struct StateSurvives;

impl Aspect for StateSurvives {
    fn visit(&self, resource: &mut Resource) -> Vec<Problem> {
        if resource.stateful {
            resource.deletion_policy.get_or_insert(Policy::Retain);
            resource.update_replace_policy.get_or_insert(Policy::Retain);
        }
        Vec::new()
    }
}

/// Refuses what would hold data without a key of ours.
#[derive(Clone, Copy, Debug)]
pub struct Encrypted;

/// Where each type has its key.
const KEYS: [(&str, &str); 6] = [
    ("AWS::ECR::Repository", "/EncryptionConfiguration/KmsKey"),
    ("AWS::Logs::LogGroup", "/KmsKeyId"),
    ("AWS::RDS::DBCluster", "/KmsKeyId"),
    ("AWS::SNS::Topic", "/KmsMasterKeyId"),
    ("AWS::SQS::Queue", "/KmsMasterKeyId"),
    ("AWS::SecretsManager::Secret", "/KmsKeyId"),
];

impl Aspect for Encrypted {
    fn visit(&self, resource: &mut Resource) -> Vec<Problem> {
        let place = KEYS.iter().find(|(type_name, _)| *type_name == resource.type_name);
        let Some((_, property)) = place.filter(|(_, property)| resource.property(property).is_null()) else {
            return Vec::new();
        };
        let property = property.trim_start_matches('/');
        vec![Problem::at(&resource.origin, format!("it holds data, and `{property}` names no key; give it one"))]
    }
}
