//! Amazon Route 53.

use super::HostName;
use super::macros::{resource, structure, words};
use crate::core::{Kind, Shape, Value};

/// The id of a hosted zone; the zone itself is not part of a stack.
#[derive(Debug)]
pub struct HostedZoneId;

impl Kind for HostedZoneId {
    fn shape() -> Shape {
        Shape::Text
    }
}

words! {
    RecordType { A = "A", Aaaa = "AAAA", Cname = "CNAME", }
}

structure! {
    AliasTarget {
        dns_name as "DNSName": Value<HostName>,
        hosted_zone_id: Value<HostedZoneId>,
        ;
        evaluate_target_health: Value<bool>,
    }
}

resource! {
    RecordSet = "AWS::Route53::RecordSet" {
        name: Value<String>,
        kind as "Type": RecordType,
        ;
        alias_target: AliasTarget,
        hosted_zone_id: Value<HostedZoneId>,
    }
    => domain_name: HostName;
}
