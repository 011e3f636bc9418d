//! The certificate of a domain: one that exists already, or one of our own where there is a hosted zone to prove the domain in.

use crate::cfn::Arn;
use crate::cfn::acm::{self, DomainValidationOption, ValidationMethod};
use crate::cfn::elbv2;
use crate::cfn::route53::{AliasTarget, HostedZoneId, RecordSet, RecordType};
use crate::core::{Condition, Handle, Scope, Value};

use super::{Alarm, Crosses, Metric, Topic};

/// A certificate. Defaults: made and renewed by ACM, proved with a record in the hosted zone.
#[derive(Clone)]
pub struct Certificate {
    /// The one that is made; it exists under the condition.
    pub handle: Handle<acm::Certificate>,
    scope: Scope,
    domain: Value<String>,
    zone: Value<HostedZoneId>,
    has_zone: Condition,
}

impl Certificate {
    /// A certificate of a domain, made where there is a zone.
    #[track_caller]
    pub fn new(
        scope: &Scope,
        name: &str,
        domain: &Value<String>,
        zone: &Value<HostedZoneId>,
        has_zone: &Condition,
    ) -> Self {
        let scope = scope.child(name);
        let proof = DomainValidationOption::new(domain).hosted_zone_id(zone);
        let certificate =
            acm::Certificate::new(domain).domain_validation_options([proof]).validation_method(ValidationMethod::Dns);
        let handle = scope.main(certificate);
        handle.only_if(has_zone);
        Self { handle, scope, domain: domain.clone(), zone: zone.clone(), has_zone: has_zone.clone() }
    }

    /// The certificate that was made, or else the one that exists.
    pub fn or(&self, existing: &Value<Arn<acm::Certificate>>) -> Value<Arn<acm::Certificate>> {
        Value::when(&self.has_zone, self.handle.arn(), existing)
    }

    /// Tells a topic when a certificate, made here or not, has less than three weeks to go.
    #[track_caller]
    pub fn expires(&self, certificate: &Value<Arn<acm::Certificate>>, topic: &Topic) -> Alarm {
        let days = Metric::minimum("AWS/CertificateManager", "DaysToExpiry").of("CertificateArn", certificate);
        let description = "The certificate has less than 3 weeks to go";
        let below = Crosses::Below(21.0);
        let alarm = Alarm::on(&self.scope, "CertificateExpiry", description, &days.over(86_400), below, topic);
        alarm.after(1);
        alarm
    }

    /// Lets the domain lead to a load balancer.
    #[track_caller]
    pub fn points_at(&self, balancer: &Handle<elbv2::LoadBalancer>) -> &Self {
        let target = AliasTarget::new(balancer.dns_name(), balancer.hosted_zone_id()).evaluate_target_health(true);
        let record = RecordSet::new(&self.domain, RecordType::A).alias_target(target).hosted_zone_id(&self.zone);
        self.scope.add("Record", record).only_if(&self.has_zone);
        self
    }
}
