//! AWS WAF, version 2.

use super::macros::{resource, structure, words};
use super::{Arn, Name, Tag, elbv2, logs};
use crate::core::Value;

words! {
    Scope { Regional = "REGIONAL", }
}

words! {
    AggregateKeyType { Ip = "IP", }
}

structure! {
    /// An object without properties, by which an action is chosen.
    Chosen { ; }
}

structure! {
    DefaultAction { ; allow: Chosen, block: Chosen, }
}

structure! {
    CustomResponse { response_code: Value<i64>, ; }
}

structure! {
    BlockAction { ; custom_response: CustomResponse, }
}

structure! {
    RuleAction { ; block: BlockAction, count: Chosen, }
}

structure! {
    OverrideAction { ; none: Chosen, count: Chosen, }
}

structure! {
    RuleActionOverride { name: Value<String>, action_to_use: RuleAction, ; }
}

structure! {
    ManagedRuleGroupStatement {
        vendor_name: Value<String>,
        name: Value<String>,
        ;
        rule_action_overrides: Vec<RuleActionOverride>,
    }
}

structure! {
    RateBasedStatement {
        limit: Value<i64>,
        aggregate_key_type: AggregateKeyType,
        ;
        evaluation_window_sec: Value<i64>,
    }
}

structure! {
    Statement {
        ;
        managed_rule_group_statement: ManagedRuleGroupStatement,
        rate_based_statement: RateBasedStatement,
    }
}

structure! {
    VisibilityConfig {
        metric_name: Value<String>,
        cloud_watch_metrics_enabled: Value<bool>,
        sampled_requests_enabled: Value<bool>,
        ;
    }
}

structure! {
    Rule {
        name: Value<String>,
        priority: Value<i64>,
        statement: Statement,
        visibility_config: VisibilityConfig,
        ;
        action: RuleAction,
        override_action: OverrideAction,
    }
}

structure! {
    SingleHeader { name: Value<String>, ; }
}

structure! {
    FieldToMatch { ; single_header: SingleHeader, uri_path: Chosen, }
}

resource! {
    WebAcl = "AWS::WAFv2::WebACL" [TAGGABLE = true] {
        scope: Scope,
        default_action: DefaultAction,
        visibility_config: VisibilityConfig,
        ;
        name: Value<Name<WebAcl>>,
        rules: Vec<Rule>,
        tags: Vec<Tag>,
    }
    arn = "Arn": Arn<WebAcl>;
}

resource! {
    WebAclAssociation = "AWS::WAFv2::WebACLAssociation" {
        resource_arn: Value<Arn<elbv2::LoadBalancer>>,
        web_acl_arn as "WebACLArn": Value<Arn<WebAcl>>,
        ;
    }
}

resource! {
    LoggingConfiguration = "AWS::WAFv2::LoggingConfiguration" {
        resource_arn: Value<Arn<WebAcl>>,
        log_destination_configs: Vec<Value<Arn<logs::LogGroup>>>,
        ;
        redacted_fields: Vec<FieldToMatch>,
    }
}
