//! AWS Certificate Manager.

use super::macros::{resource, structure, words};
use super::{Arn, Tag, route53};
use crate::core::Value;

words! {
    ValidationMethod { Dns = "DNS", Email = "EMAIL", }
}

structure! {
    DomainValidationOption { domain_name: Value<String>, ; hosted_zone_id: Value<route53::HostedZoneId>, }
}

resource! {
    Certificate = "AWS::CertificateManager::Certificate" [TAGGABLE = true] {
        domain_name: Value<String>,
        ;
        domain_validation_options: Vec<DomainValidationOption>,
        subject_alternative_names: Vec<Value<String>>,
        validation_method: ValidationMethod,
        tags: Vec<Tag>,
    }
    => arn: Arn<Certificate>;
}
