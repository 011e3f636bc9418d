//! What the app and the infrastructure must agree on, since neither knows the other.

mod metrics;
mod settings;

use std::collections::HashMap;
use std::sync::LazyLock;

use http::Method;
use serde_json::Value as Json;
use stack::core::{Deployment, Template};
use stack::proxy_stack::{HEALTH_PATH, NAME, PORT, proxy_stack};
use support::{TestApp, get, http_client, process};

/// The template with everything in it.
fn template() -> &'static Template {
    static TEMPLATE: LazyLock<Template> =
        LazyLock::new(|| proxy_stack().synth().unwrap_or_else(|told| panic!("{told}")).template);
    &TEMPLATE
}

/// A property with the defaults of the parameters in it.
fn property(type_name: &str, pointer: &str) -> Json {
    Deployment::new(template(), &[]).unwrap().resolve(&template().the(type_name).property(pointer))
}

/// The container of the tasks.
fn container() -> Json {
    property("AWS::ECS::TaskDefinition", "/ContainerDefinitions/0")
}

#[tokio::test]
async fn the_app_is_well_where_the_load_balancer_asks() {
    assert_eq!(property("AWS::ElasticLoadBalancingV2::TargetGroup", "/HealthCheckPath"), HEALTH_PATH);
    let app = TestApp::start().await;
    let got = get(http_client().get(format!("{}{HEALTH_PATH}", app.url()))).await;
    assert_eq!(property("AWS::ElasticLoadBalancingV2::TargetGroup", "/Matcher/HttpCode"), got.status.to_string());
    app.stop().await;
}

/// Whether a rule leads everybody who asks for a path to the tasks.
fn is_forwarded(path: &str) -> bool {
    let matches = |pattern: &Json| {
        let pattern = pattern.as_str().unwrap();
        pattern.strip_suffix('*').map_or(path == pattern, |beginning| path.starts_with(beginning))
    };
    template().of_type("AWS::ElasticLoadBalancingV2::ListenerRule").any(|(_, rule)| {
        let conditions = rule.property("/Conditions");
        let patterns = conditions[0]["PathPatternConfig"]["Values"].as_array().unwrap();
        let for_everybody = conditions.as_array().unwrap().len() == 1;
        rule.property("/Actions/0/Type") == "forward" && for_everybody && patterns.iter().any(matches)
    })
}

/// With the key in the path or in a header, in the format of Messages or of Bedrock.
#[tokio::test]
async fn whatever_developers_ask_the_app_for_gets_through_the_load_balancer() {
    let app = TestApp::start().await;
    let asked = async |method: Method, path: &str| {
        get(http_client().request(method, format!("{}{path}", app.url()))).await.status != 404
    };
    let knows = async |path: &str| asked(Method::GET, path).await || asked(Method::POST, path).await;
    assert!(!knows("/unknown").await);
    assert!(!is_forwarded("/unknown"));
    let served = [
        "/ak/ak_x",
        "/ak/ak_x/api/hello",
        "/ak/ak_x/inference-profiles",
        "/ak/ak_x/model/x/invoke",
        "/ak/ak_x/v1/messages",
        "/health",
        "/inference-profiles",
        "/inference-profiles/x",
        "/model/x/invoke",
        "/v1/messages",
        "/v1/models",
    ];
    for path in served {
        assert!(knows(path).await, "the app does not know {path}");
        assert!(is_forwarded(path), "{path}");
    }
    app.stop().await;
}

#[test]
fn the_load_balancer_forwards_to_the_port_of_the_container() {
    assert_eq!(container()["PortMappings"][0]["ContainerPort"], PORT);
    assert_eq!(property("AWS::ElasticLoadBalancingV2::TargetGroup", "/Port"), PORT);
}

/// The role that the health check of the container starts.
#[tokio::test]
async fn the_health_check_is_a_role_of_the_app() {
    let command = container()["HealthCheck"]["Command"].clone();
    let words: Vec<_> = command.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(words, ["CMD", &format!("/{NAME}"), "healthcheck"]);
    let told = process::run(&["healthcheck", "--help"], &HashMap::new(), "").await;
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}
