//! An application load balancer that refuses what no rule allows.

use std::cell::RefCell;
use std::rc::Rc;

use crate::cfn::elbv2::{
    Action, ActionType, Attribute, FixedResponseConfig, LoadBalancerType, PathPatternConfig, Protocol, RedirectConfig,
    RedirectStatusCode, RuleCondition, Scheme, SourceIpConfig,
};
use crate::cfn::{Arn, Cidr, acm, ec2, elbv2};
use crate::core::{Condition, Handle, List, Parameter, Scope, Value};

use super::{Metric, Network, SecurityGroup, TargetGroup};

/// A condition takes five values over all; two are for the paths.
const NETWORKS_A_RULE: usize = 3;
/// So many rules for restricted paths, so that a list of nine networks fits.
const RULES: usize = 3;

/// A load balancer for the internet. Defaults: TLS 1.2 and 1.3, HSTS, 404 for what no rule allows, invalid headers dropped,
/// strictest against smuggled requests, 900 s of silence on a connection, protected from deletion, no access log, because
/// keys are in paths.
#[derive(Clone)]
pub struct LoadBalancer {
    /// The way out.
    pub handle: Handle<elbv2::LoadBalancer>,
    /// The listener on port 443.
    pub https: Handle<elbv2::Listener>,
    scope: Scope,
    group: SecurityGroup,
    rules: Rc<RefCell<Vec<Handle<elbv2::ListenerRule>>>>,
}

impl LoadBalancer {
    /// A load balancer with a listener on port 443.
    #[track_caller]
    pub fn new(
        scope: &Scope,
        name: &str,
        network: &Network,
        certificate: &Value<Arn<acm::Certificate>>,
        deletion_protection: &Value<bool>,
    ) -> Self {
        let scope = scope.child(name);
        let group = SecurityGroup::new(&scope, "LoadBalancer", network, "Internet to the load balancer");
        group.allow_from_anywhere(443, "HTTPS");
        let attributes = [
            ("deletion_protection.enabled", deletion_protection.text()),
            ("idle_timeout.timeout_seconds", "900".into()),
            ("routing.http.drop_invalid_header_fields.enabled", "true".into()),
            ("routing.http.desync_mitigation_mode", "strictest".into()),
        ];
        let handle = scope.main(
            elbv2::LoadBalancer::new()
                .kind(LoadBalancerType::Application)
                .scheme(Scheme::InternetFacing)
                .subnets(network.public_ids())
                .security_groups([group.id()])
                .load_balancer_attributes(attributes.map(|(key, value)| Attribute::new(key, value))),
        );
        handle.accept("CKV_AWS_91", "Access logs would hold access keys, which are in paths");
        network.reachable_before(&handle);
        let headers = [
            ("routing.http.response.strict_transport_security.header_value", "max-age=31536000; includeSubDomains"),
            ("routing.http.response.server.enabled", "false"),
        ];
        let https = scope.add(
            "Https",
            elbv2::Listener::new(handle.arn(), [fixed("404", r#"{"error":"not found"}"#)])
                .port(443)
                .protocol(Protocol::Https)
                .ssl_policy("ELBSecurityPolicy-TLS13-1-2-2021-06")
                .certificates([elbv2::Certificate::new(certificate)])
                .listener_attributes(headers.map(|(key, value)| Attribute::new(key, value))),
        );
        Self { handle, https, scope, group, rules: Rc::default() }
    }

    /// Answers on port 80 as well, under a condition: with a redirect, but for paths with keys, which are refused, because
    /// whoever asks has sent the key in clear already.
    #[track_caller]
    pub fn redirect_http(&self, condition: &Condition, refused: &[&str]) -> &Self {
        let anybody = ec2::SecurityGroupIngress::new("tcp", self.group.id())
            .cidr_ip("0.0.0.0/0")
            .description("HTTP, to be redirected")
            .from_port(80)
            .to_port(80);
        let anybody = self.scope.add("HttpAllowed", anybody);
        anybody
            .only_if(condition)
            .accept("CKV_AWS_260", "Port 80 answers with a redirect or a refusal and forwards nothing");
        let to_https = RedirectConfig::new(RedirectStatusCode::Http301).port("443").protocol("HTTPS");
        let redirect = Action::new(ActionType::Redirect).redirect_config(to_https);
        let http = elbv2::Listener::new(self.handle.arn(), [redirect]).port(80).protocol(Protocol::Http);
        let http = self.scope.add("Http", http);
        let refusal = fixed("403", r#"{"error":"use https, and a new key: this one was sent in clear"}"#);
        let rule = elbv2::ListenerRule::new(10, [refusal], [paths(refused)]).listener_arn(http.arn());
        self.scope.add("HttpRefused", rule).only_if(condition);
        http.only_if(condition);
        self
    }

    /// A parameter for the networks of [`Self::forward_from`]: one to nine, with commas between them.
    pub fn networks_parameter(description: &str) -> Parameter<String> {
        let network = r"[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}";
        let pattern = format!("^{network}(,{network}){{0,{}}}$", NETWORKS_A_RULE * RULES - 1);
        let otherwise = "one to nine networks like 203.0.113.0/24, with commas and no blanks between them";
        Parameter::text(description).pattern([&pattern, otherwise])
    }

    /// Forwards paths.
    #[track_caller]
    pub fn forward(&self, name: &str, priority: i64, patterns: &[&str], to: &TargetGroup) -> &Self {
        self.rule(name, priority, vec![paths(patterns)], to);
        self
    }

    /// Forwards at most two paths, from these networks only, which are one to nine with commas between them; others hear 404.
    #[track_caller]
    pub fn forward_from(
        &self,
        name: &str,
        priority: i64,
        patterns: &[&str],
        networks: &Value<String>,
        to: &TargetGroup,
    ) -> &Self {
        // How long the list is, is not known before deployment. Addresses that nobody has fill it up: those of examples.
        let unused = (0..NETWORKS_A_RULE * RULES).map(|last| format!("192.0.2.{last}/32"));
        let filled = Value::join(",", [networks.clone(), unused.collect::<Vec<_>>().join(",").into()]);
        let filled = Value::<List<Cidr>>::split(",", filled);
        for (rule, priority) in (0..RULES).zip(priority..) {
            let values: Vec<_> = (0..NETWORKS_A_RULE).map(|index| filled.at(rule * NETWORKS_A_RULE + index)).collect();
            let from = RuleCondition::new("source-ip").source_ip_config(SourceIpConfig::new(values));
            self.rule(&format!("{name}{}", rule + 1), priority, vec![paths(patterns), from], to);
        }
        self
    }

    #[track_caller]
    fn rule(&self, name: &str, priority: i64, conditions: Vec<RuleCondition>, to: &TargetGroup) {
        let forward = Action::new(ActionType::Forward).target_group_arn(to.arn());
        let rule = elbv2::ListenerRule::new(priority, [forward], conditions).listener_arn(self.https.arn());
        self.rules.borrow_mut().push(self.scope.add(name, rule));
    }

    /// Makes something wait for the rules that there are: ECS takes no targets that nothing leads to.
    pub fn routes_before<R>(&self, resource: &Handle<R>) {
        self.rules.borrow().iter().for_each(|rule| {
            resource.depends_on(rule);
        });
    }

    /// Lets the load balancer reach a group at a port.
    #[track_caller]
    pub fn reaches(&self, group: &SecurityGroup, port: u16) -> &Self {
        group.allow_from(&self.group, port, "Requests and health checks");
        self
    }

    /// A sum over the load balancer.
    pub fn sum(&self, metric: &str) -> Metric {
        Metric::sum("AWS/ApplicationELB", metric).of("LoadBalancer", &self.handle.full_name())
    }

    /// The fewest healthy targets in a minute.
    pub fn fewest_healthy(&self, targets: &TargetGroup) -> Metric {
        Metric::minimum("AWS/ApplicationELB", "HealthyHostCount")
            .of("LoadBalancer", &self.handle.full_name())
            .of("TargetGroup", &targets.handle.full_name())
            .over(60)
    }
}

fn paths(patterns: &[&str]) -> RuleCondition {
    let values: Vec<_> = patterns.iter().map(|pattern| Value::from(*pattern)).collect();
    RuleCondition::new("path-pattern").path_pattern_config(PathPatternConfig::new(values))
}

fn fixed(status: &str, body: &str) -> Action {
    let answer = FixedResponseConfig::new(status).content_type("application/json").message_body(body);
    Action::new(ActionType::FixedResponse).fixed_response_config(answer)
}
