//! A firewall for web requests, made for traffic whose bodies are prompts with code in them.

use crate::cfn::waf::{
    self, AggregateKeyType, BlockAction, Chosen, CustomResponse, DefaultAction, FieldToMatch, LoggingConfiguration,
    ManagedRuleGroupStatement, OverrideAction, RateBasedStatement, Rule, RuleAction, RuleActionOverride,
    Scope as WafScope, SingleHeader, Statement, VisibilityConfig, WebAclAssociation,
};
use crate::core::{Condition, Handle, Scope, Value};

use super::{LoadBalancer, LogGroup};

/// A firewall. Defaults: everything passes but what AWS's rules for headers and addresses refuse, and more than 3,000 requests
/// in 5 minutes from one address (429); rules about bodies only count; the log has neither paths nor keys.
#[derive(Clone)]
pub struct WebAcl {
    /// The way out.
    pub handle: Handle<waf::WebAcl>,
}

/// Rules that take ordinary prompts for attacks.
const BODY_RULES: [(&str, &[&str]); 3] = [
    (
        "AWSManagedRulesCommonRuleSet",
        &[
            "SizeRestrictions_BODY",
            "CrossSiteScripting_BODY",
            "GenericLFI_BODY",
            "GenericRFI_BODY",
            "EC2MetaDataSSRF_BODY",
            "NoUserAgent_HEADER",
        ],
    ),
    ("AWSManagedRulesKnownBadInputsRuleSet", &["JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY"]),
    ("AWSManagedRulesAmazonIpReputationList", &[]),
];

impl WebAcl {
    /// A firewall before a load balancer, which exists under a condition.
    #[track_caller]
    pub fn new(scope: &Scope, name: &str, balancer: &LoadBalancer, log_group: &LogGroup, exists: &Condition) -> Self {
        let scope = scope.child(name);
        let mut rules: Vec<_> = (10..)
            .step_by(10)
            .zip(BODY_RULES)
            .map(|(priority, (name, count))| managed(name, priority, count))
            .collect();
        let too_many = BlockAction::new().custom_response(CustomResponse::new(429));
        let rate = RateBasedStatement::new(3000, AggregateKeyType::Ip).evaluation_window_sec(300);
        let rate = Statement::new().rate_based_statement(rate);
        rules.push(Rule::new("RateLimit", 40, rate, seen("RateLimit")).action(RuleAction::new().block(too_many)));
        let acl = waf::WebAcl::new(WafScope::Regional, DefaultAction::new().allow(Chosen::new()), seen("WebAcl"));
        let handle = scope.main(acl.rules(rules));
        let before = scope.add("Association", WebAclAssociation::new(balancer.handle.arn(), handle.arn()));
        let secret = ["authorization", "x-api-key", "x-ccp-access-key"];
        let mut redacted: Vec<_> =
            secret.map(|header| FieldToMatch::new().single_header(SingleHeader::new(header))).to_vec();
        redacted.push(FieldToMatch::new().uri_path(Chosen::new()));
        let logging = LoggingConfiguration::new(handle.arn(), [log_group.destination()]).redacted_fields(redacted);
        let logging = scope.add("Logging", logging);
        handle.only_if(exists);
        before.only_if(exists);
        logging.only_if(exists);
        Self { handle }
    }
}

fn managed(name: &str, priority: i64, count: &[&str]) -> Rule {
    let mut group = ManagedRuleGroupStatement::new("AWS", name);
    if !count.is_empty() {
        let counts = |rule: &&str| RuleActionOverride::new(*rule, RuleAction::new().count(Chosen::new()));
        group = group.rule_action_overrides(count.iter().map(counts).collect::<Vec<_>>());
    }
    let statement = Statement::new().managed_rule_group_statement(group);
    Rule::new(name, priority, statement, seen(name)).override_action(OverrideAction::new().none(Chosen::new()))
}

/// Samples would show requests, keys included.
fn seen(name: &str) -> VisibilityConfig {
    VisibilityConfig::new(name, Value::from(true), Value::from(false))
}
