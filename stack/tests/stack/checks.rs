//! Each mistake that others let through is refused, with the construct's path, its line, the value and the remedy.

use serde_json::json;
use stack::cfn::autoscaling::{ScalableDimension, ScalableTarget, ServiceNamespace};
use stack::cfn::cloudwatch::{self, ComparisonOperator, MetricDataQuery, MetricStat};
use stack::cfn::elbv2::{
    Action, ActionType, FixedResponseConfig, Listener, ListenerRule, LoadBalancer, PathPatternConfig, RuleCondition,
    SourceIpConfig, TargetGroup,
};
use stack::cfn::rds::{DbCluster, ServerlessV2ScalingConfiguration};
use stack::cfn::{Cidr, ecs};
use stack::checks;
use stack::core::{Handle, Stack, Value};

fn stack() -> Stack {
    let stack = Stack::new("Mistakes");
    stack.check(checks::all);
    stack
}

/// The only mistake of the stack: that of the construct at this path, in this file, told with these words.
#[track_caller]
fn refused(stack: &Stack, path: &str, words: &[&str]) {
    let told =
        stack.synth().map_or_else(|told| told.to_string(), |_| panic!("there is a mistake, and nothing is told"));
    assert!(told.starts_with("the stack has 1 mistake\n"), "{told}");
    assert!(told.contains(&format!("  {path} ({}:", file!())), "{told}");
    for word in words {
        assert!(told.contains(word), "`{word}` is not in {told}");
    }
}

fn metric(id: &str) -> MetricDataQuery {
    let metric = MetricStat::new(cloudwatch::Metric::new("Boxes", "Count"), 300, "Sum");
    MetricDataQuery::new(id).metric_stat(metric).return_data(false)
}

fn alarm(queries: Vec<MetricDataQuery>) -> cloudwatch::Alarm {
    cloudwatch::Alarm::new(ComparisonOperator::GreaterThanThreshold, 5, 1.0).metrics(queries)
}

fn expression(text: &str) -> MetricDataQuery {
    MetricDataQuery::new("rate").expression(text).return_data(true)
}

#[test]
fn an_alarm_without_a_mistake_is_taken() {
    let stack = stack();
    stack.add("Fine", alarm(vec![expression("100 * boxes"), metric("boxes")]).datapoints_to_alarm(5));
    stack.synth().expect("nothing is wrong");
}

#[test]
fn an_expression_that_looks_at_nothing() {
    let stack = stack();
    stack.add("Rate", alarm(vec![expression("100 * boxs"), metric("boxes")]));
    refused(&stack, "Rate", &["`100 * boxs` looks at `boxs`", "declare it"]);
}

#[test]
fn an_expression_that_is_none() {
    let stack = stack();
    stack.add("Rate", alarm(vec![expression("100 * (boxes"), metric("boxes")]));
    refused(&stack, "Rate", &["`100 * (boxes` is not understood", "correct the expression"]);
}

#[test]
fn a_search_in_an_alarm() {
    let stack = stack();
    stack.add("Rate", alarm(vec![expression("SUM(SEARCH('{Boxes} Count', 'Sum', 300))")]));
    refused(&stack, "Rate", &["SEARCH('{Boxes} Count'", "which an alarm cannot", "name each metric"]);
}

#[test]
fn more_points_than_there_are_periods() {
    let stack = stack();
    stack.add("Never", alarm(vec![metric("boxes").return_data(true)]).datapoints_to_alarm(6));
    refused(&stack, "Never", &["DatapointsToAlarm is 6 and EvaluationPeriods 5", "ask for 5 at the most"]);
}

#[test]
fn two_results_or_none() {
    let stack = stack();
    stack.add("Two", alarm(vec![expression("boxes"), metric("boxes").return_data(true)]));
    refused(&stack, "Two", &["2 queries return data (rate, boxes)", "set `return_data(false)`"]);
    let stack = self::stack();
    stack.add("None", alarm(vec![metric("boxes")]));
    refused(&stack, "None", &["0 queries return data"]);
}

#[test]
fn an_alarm_that_looks_back_too_far() {
    let stack = stack();
    let far = alarm(vec![metric("boxes").return_data(true)]);
    stack.add("Far", cloudwatch::Alarm { evaluation_periods: 289.into(), ..far });
    refused(&stack, "Far", &["289 periods of 300 s", "at most 86400 s", "take fewer"]);
}

struct Routing {
    stack: Stack,
    listener: Handle<Listener>,
    targets: Handle<TargetGroup>,
}

/// A listener that answers by default with this, and a target group.
fn routing(default: Action) -> Routing {
    let stack = stack();
    let balancer = stack.add("Balancer", LoadBalancer::new());
    let listener = stack.add("Listener", Listener::new(balancer.arn(), [default]));
    let targets = stack.add("Targets", TargetGroup::new().port(8000));
    Routing { stack, listener, targets }
}

fn not_found() -> Action {
    Action::new(ActionType::FixedResponse).fixed_response_config(FixedResponseConfig::new("404"))
}

impl Routing {
    fn rule(&self, name: &str, priority: i64, path: &str, networks: &[&str]) {
        let mut conditions =
            vec![RuleCondition::new("path-pattern").path_pattern_config(PathPatternConfig::new([path.into()]))];
        if !networks.is_empty() {
            let networks: Vec<_> = networks.iter().map(|network| Value::<Cidr>::from(*network)).collect();
            conditions.push(RuleCondition::new("source-ip").source_ip_config(SourceIpConfig::new(networks)));
        }
        let forward = Action::new(ActionType::Forward).target_group_arn(self.targets.arn());
        let rule = ListenerRule::new(priority, [forward], conditions).listener_arn(self.listener.arn());
        self.stack.add(name, rule);
    }
}

#[test]
fn two_rules_at_one_place() {
    let routing = routing(not_found());
    routing.rule("First", 10, "/a/*", &[]);
    routing.rule("Second", 10, "/b/*", &[]);
    refused(&routing.stack, "Second", &["its priority 10 is already that of First (", "wants its own"]);
}

#[test]
fn a_restriction_under_a_default_that_forwards() {
    let Routing { stack, targets, .. } = routing(not_found());
    let forward = Action::new(ActionType::Forward).target_group_arn(targets.arn());
    let balancer = stack.add("Other", LoadBalancer::new());
    let listener = stack.add("Open", Listener::new(balancer.arn(), [forward]));
    let routing = Routing { stack, listener, targets };
    routing.rule("Admin", 10, "/admin/*", &["10.0.0.0/8"]);
    refused(&routing.stack, "Admin", &["default action of its listener forwards everybody", "fixed response"]);
}

#[test]
fn a_restriction_that_another_rule_undoes() {
    let fine = routing(not_found());
    fine.rule("Admin", 10, "/admin/*", &["10.0.0.0/8"]);
    fine.rule("Rest", 20, "/v1/*", &[]);
    fine.stack.synth().expect("nothing is wrong");
    let undone = routing(not_found());
    undone.rule("Admin", 10, "/admin/*", &["10.0.0.0/8"]);
    undone.rule("All", 20, "/*", &[]);
    refused(&undone.stack, "Admin", &["some networks in to `/admin/*`, and All (", "forwards it for everybody"]);
}

#[test]
fn more_values_than_a_rule_takes() {
    let routing = routing(not_found());
    routing.rule("Many", 10, "/admin/*", &["10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16"]);
    refused(&routing.stack, "Many", &["have 6 values, and a rule takes 5", "make several rules"]);
}

#[test]
fn a_health_check_that_meets_the_next() {
    let stack = stack();
    stack.add("Targets", TargetGroup::new().health_check_interval_seconds(5).health_check_timeout_seconds(5));
    refused(&stack, "Targets", &["may take 5 s and comes every 5 s", "give it less time"]);
    let stack = self::stack();
    let check = ecs::HealthCheck::new(["CMD".into()]).interval(10).timeout(20);
    let container = ecs::ContainerDefinition::new("box", "image").health_check(check);
    stack.add("Task", ecs::TaskDefinition::new().container_definitions([container]));
    refused(&stack, "Task", &["may take 20 s and comes every 10 s"]);
}

#[test]
fn a_backup_in_the_middle_of_maintenance() {
    let stack = stack();
    let cluster = DbCluster::new("aurora-postgresql").preferred_backup_window("03:00-04:00");
    stack.add("Database", cluster.preferred_maintenance_window("sun:03:30-sun:04:30"));
    refused(&stack, "Database", &["(03:00-04:00)", "(sun:03:30-sun:04:30) overlap", "move one of them"]);
}

#[test]
fn a_database_with_its_capacities_the_wrong_way_round() {
    let stack = stack();
    let cluster = DbCluster::new("aurora-postgresql");
    let scaling = ServerlessV2ScalingConfiguration::new(8.0, 4.0);
    stack.add("Database", cluster.serverless_v2_scaling_configuration(scaling));
    refused(&stack, "Database", &["fewest capacity units are 8 and its most 4", "swap them or raise the most"]);
}

#[test]
fn scaling_that_cannot() {
    let stack = stack();
    let (of, by) = (ServiceNamespace::Ecs, ScalableDimension::EcsServiceDesiredCount);
    stack.add("Scaling", ScalableTarget::new(of, by, "service/a/b", 5, 2));
    refused(&stack, "Scaling", &["at least 5 tasks and at most 2", "swap them"]);
}

/// A service whose container listens on 8000, with requests to this container and port by way of targets at another port.
fn served(container: &str, port: u16, targets_port: u16) -> Stack {
    let stack = stack();
    let targets = stack.add("Targets", TargetGroup::new().port(targets_port));
    let listening = ecs::ContainerDefinition::new("proxy", "image").port_mappings([ecs::PortMapping::new(8000)]);
    let task = stack.add("Task", ecs::TaskDefinition::new().container_definitions([listening]));
    let attached = ecs::LoadBalancer::new(container, port, targets.arn());
    stack.add("Service", ecs::Service::new().task_definition(task.arn()).load_balancers([attached]));
    stack
}

#[test]
fn requests_to_a_port_that_nobody_listens_on() {
    served("proxy", 8000, 8000).synth().expect("nothing is wrong");
    refused(&served("proxy", 8080, 8080), "Service", &["port 8080 of \"proxy\", which Task (", "map it"]);
    refused(&served("prxy", 8000, 8000), "Service", &["the container \"prxy\", which Task (", "name one of its"]);
    refused(&served("proxy", 8000, 80), "Service", &["port 8000, and Targets (", "has port 80; give both the same"]);
}

#[test]
fn a_mistake_that_was_set_past_the_types_is_seen_too() {
    let stack = stack();
    let fine = alarm(vec![metric("boxes").return_data(true)]);
    stack.add("Set", fine).set("DatapointsToAlarm", json!(7));
    refused(&stack, "Set", &["DatapointsToAlarm is 7"]);
}

#[test]
fn the_values_of_a_deployment_are_checked_as_well() {
    let template = crate::support::template();
    let with = |name, value| stack::core::Deployment::new(template, &[(name, value)]).map(|it| checks::of(&it));
    assert_eq!(with("MaintenanceWindow", "sun:04:30-sun:05:30").as_deref(), Ok([].as_slice()));
    let told = with("MaintenanceWindow", "sun:03:30-sun:05:30").expect("it is a window");
    assert!(told[0].to_string().contains("overlap"), "{told:?}");
    let told = with("MinDatabaseCapacity", "8").expect("it is a number");
    assert!(told[0].to_string().contains("fewest capacity units are 8"), "{told:?}");
}
