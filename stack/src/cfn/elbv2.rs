//! Elastic Load Balancing, version 2.

use super::macros::{resource, structure, words};
use super::{Arn, Cidr, HostName, Id, Name, Port, Tag, acm, ec2, route53};
use crate::core::Value;

words! {
    Scheme { Internal = "internal", InternetFacing = "internet-facing", }
}

words! {
    LoadBalancerType { Application = "application", Network = "network", }
}

words! {
    Protocol { Http = "HTTP", Https = "HTTPS", }
}

words! {
    TargetType { Instance = "instance", Ip = "ip", }
}

words! {
    ActionType { FixedResponse = "fixed-response", Forward = "forward", Redirect = "redirect", }
}

words! {
    RedirectStatusCode { Http301 = "HTTP_301", Http302 = "HTTP_302", }
}

structure! {
    Attribute { key: Value<String>, value: Value<String>, ; }
}

structure! {
    FixedResponseConfig { status_code: Value<String>, ; content_type: Value<String>, message_body: Value<String>, }
}

structure! {
    RedirectConfig { status_code: RedirectStatusCode, ; port: Value<String>, protocol: Value<String>, }
}

structure! {
    Action {
        kind as "Type": ActionType,
        ;
        fixed_response_config: FixedResponseConfig,
        redirect_config: RedirectConfig,
        target_group_arn: Value<Arn<TargetGroup>>,
    }
}

structure! {
    PathPatternConfig { values: Vec<Value<String>>, ; }
}

structure! {
    SourceIpConfig { values: Vec<Value<Cidr>>, ; }
}

structure! {
    RuleCondition { field: Value<String>, ; path_pattern_config: PathPatternConfig, source_ip_config: SourceIpConfig, }
}

structure! {
    Certificate { certificate_arn: Value<Arn<acm::Certificate>>, ; }
}

structure! {
    Matcher { ; http_code: Value<String>, }
}

resource! {
    LoadBalancer = "AWS::ElasticLoadBalancingV2::LoadBalancer" [TAGGABLE = true] {
        ;
        load_balancer_attributes: Vec<Attribute>,
        name: Value<Name<LoadBalancer>>,
        scheme: Scheme,
        security_groups: Vec<Value<Id<ec2::SecurityGroup>>>,
        subnets: Vec<Value<Id<ec2::Subnet>>>,
        kind as "Type": LoadBalancerType,
        tags: Vec<Tag>,
    }
    => arn: Arn<LoadBalancer>;
    dns_name = "DNSName": HostName;
    full_name = "LoadBalancerFullName": Name<LoadBalancer>;
    hosted_zone_id = "CanonicalHostedZoneID": route53::HostedZoneId;
}

resource! {
    TargetGroup = "AWS::ElasticLoadBalancingV2::TargetGroup" [TAGGABLE = true] {
        ;
        health_check_interval_seconds: Value<i64>,
        health_check_path: Value<String>,
        health_check_protocol: Protocol,
        health_check_timeout_seconds: Value<i64>,
        healthy_threshold_count: Value<i64>,
        matcher: Matcher,
        port: Value<Port>,
        protocol: Protocol,
        target_group_attributes: Vec<Attribute>,
        target_type: TargetType,
        unhealthy_threshold_count: Value<i64>,
        vpc_id: Value<Id<ec2::Vpc>>,
        tags: Vec<Tag>,
    }
    => arn: Arn<TargetGroup>;
    full_name = "TargetGroupFullName": Name<TargetGroup>;
}

resource! {
    Listener = "AWS::ElasticLoadBalancingV2::Listener" {
        load_balancer_arn: Value<Arn<LoadBalancer>>,
        default_actions: Vec<Action>,
        ;
        certificates: Vec<Certificate>,
        listener_attributes: Vec<Attribute>,
        port: Value<Port>,
        protocol: Protocol,
        ssl_policy: Value<String>,
    }
    => arn: Arn<Listener>;
}

resource! {
    ListenerRule = "AWS::ElasticLoadBalancingV2::ListenerRule" {
        priority: Value<i64>,
        actions: Vec<Action>,
        conditions: Vec<RuleCondition>,
        ;
        listener_arn: Value<Arn<Listener>>,
    }
    => arn: Arn<ListenerRule>;
}
