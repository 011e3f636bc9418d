//! Where the stack does otherwise than the design that it was made from: each row of the README's table, asserted.

use serde_json::{Value as Json, json};

use crate::support::Direction::{In, Out};
use crate::support::{at, attribute, by_default, container, id, reference, rules, setting, template, the, with};

#[test]
fn what_no_rule_allows_is_not_found() {
    let default = at("LoadBalancer/Https").property("/DefaultActions");
    assert_eq!(default[0]["Type"], "fixed-response");
    assert_eq!(default[0]["FixedResponseConfig"]["StatusCode"], "404");
    let paths = |path: &str| at(path).property("/Conditions")[0]["PathPatternConfig"]["Values"].clone();
    assert_eq!(paths("LoadBalancer/Messages"), json!(["/v1/*", "/model/*", "/inference-profiles*"]));
    assert_eq!(paths("LoadBalancer/Health"), json!(["/health"]));
    assert_eq!(template().of_type("AWS::ElasticLoadBalancingV2::ListenerRule").count(), 7, "and no other rule");
}

#[test]
fn the_admin_api_is_reached_from_nine_networks_at_the_most() {
    let sources = |path: &str| at(path).property("/Conditions")[1]["SourceIpConfig"]["Values"].clone();
    let rules = ["LoadBalancer/Admin1", "LoadBalancer/Admin2", "LoadBalancer/Admin3"];
    let mut picked = Vec::new();
    for path in rules {
        let values = at(path).property("/Conditions").as_array().map(Vec::len);
        assert_eq!(values, Some(2));
        for value in sources(path).as_array().expect("a list") {
            let [index, Json::Object(split)] = value["Fn::Select"].as_array().expect("one of a list").as_slice() else {
                panic!("{value}")
            };
            assert_eq!(split["Fn::Split"][1]["Fn::Join"][1][0], json!({ "Ref": "AdminCidrs" }));
            picked.push(index.as_u64());
        }
        // A rule takes five values over all, and two are paths.
        assert_eq!(sources(path).as_array().map(Vec::len), Some(3));
    }
    assert_eq!(picked, (0..9).map(Some).collect::<Vec<_>>(), "each of the nine once");
}

#[test]
fn a_key_that_was_sent_in_clear_is_refused() {
    let rule = at("LoadBalancer/HttpRefused");
    assert_eq!(rule.property("/ListenerArn"), reference("LoadBalancer/Http"));
    let with_keys = json!(["/ak/*", "/v1/*", "/model/*", "/inference-profiles*"]);
    assert_eq!(rule.property("/Conditions")[0]["PathPatternConfig"]["Values"], with_keys);
    assert_eq!(rule.property("/Actions")[0]["FixedResponseConfig"]["StatusCode"], "403");
    assert_eq!(rule.condition.as_deref(), Some("RedirectsHttp"));
}

#[test]
fn the_engine_is_one_that_can_still_be_created() {
    assert_eq!(by_default(the("AWS::RDS::DBCluster"), "/EngineVersion"), "15.19");
    assert_eq!(the("AWS::RDS::DBClusterParameterGroup").property("/Family"), "aurora-postgresql15");
}

#[test]
fn a_second_instance_takes_over() {
    let instances = ["Database/InstanceA", "Database/InstanceB"].map(at);
    let zones = instances.map(|instance| instance.property("/AvailabilityZone"));
    assert_ne!(zones[0], zones[1], "in two zones");
    assert_eq!(instances.map(|instance| instance.property("/PromotionTier")), [json!(1), json!(1)]);
}

#[test]
fn each_zone_has_its_own_way_out() {
    let way_out = |path: &str| with(&[]).resolve(&at(path).property("/NatGatewayId"));
    assert_eq!(way_out("Network/PrivateA/Out"), reference("Network/PublicA/Nat"));
    assert_eq!(way_out("Network/PrivateB/Out"), reference("Network/PublicB/Nat"));
    let count =
        with(&[("NatGateways", "1")]).resources().filter(|(_, it)| it.type_name == "AWS::EC2::NatGateway").count();
    assert_eq!(count, 1);
}

#[test]
fn only_what_is_needed_goes_out() {
    let [alb, ecs] = ["LoadBalancer/LoadBalancer/Resource", "Service/Tasks/Resource"];
    let database = "Database/Database/Resource";
    let nowhere = (json!(252), json!("255.255.255.255/32"));
    assert_eq!(rules(alb, Out), [nowhere.clone(), (json!(8000), attribute(ecs, "GroupId"))]);
    assert_eq!(rules(ecs, Out), [(json!(443), json!("0.0.0.0/0")), (json!(5432), attribute(database, "GroupId"))]);
    assert_eq!(rules(database, Out), [nowhere], "with no rule at all EC2 would allow everything");
    assert_eq!(rules(ecs, In).len(), 1);
}

#[test]
fn aurora_writes_into_a_group_that_is_there_before_it() {
    let group = at("DatabaseLogs/Resource");
    assert_eq!(group.property("/LogGroupName"), "/aws/rds/cluster/claude-code-proxy/postgresql");
    let cluster = the("AWS::RDS::DBCluster");
    assert_eq!(cluster.property("/DBClusterIdentifier"), "claude-code-proxy", "which the group's name has in it");
    assert_eq!(cluster.property("/EnableCloudwatchLogsExports"), json!(["postgresql"]));
    assert!(cluster.depends_on.contains(id("DatabaseLogs/Resource")));
}

#[test]
fn maintenance_does_not_meet_the_backup() {
    for place in ["Database/Resource", "Database/InstanceA", "Database/InstanceB"] {
        assert_eq!(by_default(at(place), "/PreferredMaintenanceWindow"), "sun:04:30-sun:05:30", "{place}");
    }
}

#[test]
fn an_update_leaves_the_number_of_tasks_alone() {
    assert_eq!(the("AWS::ECS::Service").property("/DesiredCount"), Json::Null);
    assert_eq!(by_default(the("AWS::ApplicationAutoScaling::ScalableTarget"), "/MinCapacity"), 2);
}

#[test]
fn the_plan_key_may_be_missing() {
    assert!(container()["Secrets"].is_null(), "a missing secret would stop every task");
    let statements = at("Task/Role/Resource").property("/Policies/0/PolicyDocument/Statement");
    let by_name = json!({ "StringEquals": { "secretsmanager:SecretId": "claude-code-proxy/plan-api-key" } });
    let allowed = statements.as_array().into_iter().flatten().find(|statement| statement["Condition"] == by_name);
    let allowed = allowed.expect("the tasks may ask for it");
    assert_eq!((&allowed["Action"], &allowed["Resource"]), (&json!(["secretsmanager:GetSecretValue"]), &json!(["*"])));
    // By ARN, which a missing secret does not have, the answer would be that access is denied.
}

#[test]
fn secrets_hold_what_cloudformation_can_make() {
    let generated = |path: &str| at(path).property("/GenerateSecretString");
    assert_eq!(generated("AdminCredentials/Resource"), Json::Null, "it cannot hash: another verb writes it");
    assert_eq!(generated("KeyHasherSecret/Resource"), json!({ "PasswordLength": 64, "ExcludePunctuation": true }));
    let hasher = at("KeyHasherSecret/Resource");
    assert_eq!(json!(hasher)["DeletionPolicy"], "Retain", "its loss voids every key");
    assert_eq!(template().of_type("AWS::SecretsManager::RotationSchedule").count(), 0);
}

#[test]
fn the_database_takes_no_connection_in_clear() {
    let parameters = the("AWS::RDS::DBClusterParameterGroup").property("/Parameters");
    assert_eq!(parameters["rds.force_ssl"], "1");
}

#[test]
fn the_fallback_rate_is_one_of_requests_to_the_plan() {
    let alarm = at("Alarms/HighFallbackRate").property("/Metrics");
    let requests = alarm.as_array().into_iter().flatten().find(|query| query["Id"] == "requests").expect("requests");
    assert_eq!(requests["MetricStat"]["Metric"]["Dimensions"], json!([{ "Name": "Provider", "Value": "plan" }]));
}

#[test]
fn tasks_follow_requests_as_well() {
    let policy = at("Service/ScaleRequests").property("/TargetTrackingScalingPolicyConfiguration");
    let metric = &policy["PredefinedMetricSpecification"];
    assert_eq!(metric["PredefinedMetricType"], "ALBRequestCountPerTarget");
    let label = json!({ "Fn::Join": ["/", [
        attribute("LoadBalancer/Resource", "LoadBalancerFullName"),
        attribute("Targets/Resource", "TargetGroupFullName"),
    ]] });
    assert_eq!(metric["ResourceLabel"], label);
}

#[test]
fn a_service_waits_for_the_rules_that_lead_to_it() {
    let waits = &the("AWS::ECS::Service").depends_on;
    for rule in ["AccessKeys", "Messages", "Health", "Admin1"] {
        assert!(waits.contains(id(&format!("LoadBalancer/{rule}"))), "{rule}");
    }
}

/// Otherwise a stack with a service cannot be deleted: ECS says that the capacity provider is in use.
#[test]
fn a_service_comes_after_the_capacity_of_its_cluster_and_goes_before_it() {
    assert!(the("AWS::ECS::Service").depends_on.contains(id("Service/Capacity")));
}

/// Made beside the first tasks, the alarm would tell people at once that there are none.
#[test]
fn the_first_deployment_is_not_alarming() {
    assert!(at("Alarms/UnhealthyTasks").depends_on.contains(id("Service/Scaling")));
}

#[test]
fn running_requests_get_their_time() {
    let targets = the("AWS::ElasticLoadBalancingV2::TargetGroup");
    assert_eq!(setting(targets, "/TargetGroupAttributes", "deregistration_delay.timeout_seconds"), "300");
    assert_eq!(container()["StopTimeout"], 120);
}
