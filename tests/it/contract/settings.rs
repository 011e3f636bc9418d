//! The settings that the tasks are given, and the times that have to fit.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::time::Duration;

use claude_code_proxy::config::{Config, Environment, SecretName, SecretsConfig, VARIABLES};
use serde_json::{Value as Json, json};
use stack::proxy_stack::{NAME, PORT};
use xtask::build::{ACCOUNT, BINARY, JOURNAL_FOLDER, RDS_CA_BUNDLE};

use super::{container, property, template};

/// What the tasks are given; where AWS or a parameter has the value, one like it.
fn given() -> HashMap<String, String> {
    let settings = container()["Environment"].as_array().unwrap().clone();
    let value = |setting: &Json| match (&setting["Value"], setting["Name"].as_str().unwrap()) {
        (Json::String(text), _) => text.clone(),
        (_, "KMS_KEY_ID") => "arn:aws:kms:us-east-1:1:key/1".to_owned(),
        (other, name) => panic!("what is {name} like? {other}"),
    };
    settings.iter().map(|setting| (setting["Name"].as_str().unwrap().to_owned(), value(setting))).collect()
}

/// The settings as the app reads them, with what the secrets will give.
fn config() -> Config {
    let mut settings = given();
    for (name, value) in [
        ("DATABASE_URL", "postgres://proxy:secret@database:5432/proxy"),
        ("KEY_HASHER_SECRET", "0123456789012345678901234567890123456789"),
    ] {
        settings.insert(name.to_owned(), value.to_owned());
    }
    Config::read(Environment::new(|name| settings.get(name).cloned())).unwrap_or_else(|told| panic!("{told}"))
}

/// Where the app looks for secrets; the file that the image has is an empty one here.
fn secrets() -> SecretsConfig {
    let bundle = tempfile::NamedTempFile::new().unwrap();
    let mut settings = given();
    settings.insert("DATABASE_CA_FILE".to_owned(), bundle.path().display().to_string());
    let mut environment = Environment::new(|name| settings.get(name).cloned());
    let read = SecretsConfig::read(&mut environment);
    environment.finish().unwrap_or_else(|told| panic!("{told}"));
    read.unwrap()
}

/// What AWS's standard chain of credentials reads by itself.
const OF_AWS: &str = "AWS_EC2_METADATA_DISABLED";

#[test]
fn the_app_knows_every_setting_that_the_tasks_are_given() {
    for name in given().keys().filter(|name| *name != OF_AWS) {
        assert!(VARIABLES.iter().any(|variable| variable.name == name), "the app does not know {name}");
    }
}

#[test]
fn the_app_takes_what_the_tasks_are_given() {
    let config = config();
    assert_eq!(config.server.listen.port(), PORT);
    assert!(config.server.listen.ip().is_unspecified(), "the load balancer comes from outside");
    assert!(config.metrics.cloudwatch);
    assert_eq!(config.admin.allowed.len(), 1, "whoever deploys names more");
}

#[test]
fn usage_waits_where_the_container_can_write() {
    let mounted = container()["MountPoints"][0]["ContainerPath"].clone();
    assert_eq!(config().journal.folder.as_deref(), mounted.as_str().map(Path::new));
    assert_eq!(container()["ReadonlyRootFilesystem"], true);
}

/// What the image has is where the tasks look for it, and belongs to whom they run as.
#[test]
fn the_image_has_what_the_tasks_are_told_of() {
    let container = container();
    assert_eq!(container["User"], format!("{ACCOUNT}:{ACCOUNT}"));
    assert_eq!(container["MountPoints"][0]["ContainerPath"], JOURNAL_FOLDER, "a volume elsewhere would be root's");
    assert_eq!(container["HealthCheck"]["Command"][1], BINARY);
    assert_eq!(given()["DATABASE_CA_FILE"], RDS_CA_BUNDLE);
}

#[test]
fn the_load_balancer_is_believed_and_nobody_else() {
    let trusted: Vec<_> = config().admin.trusted_proxies.iter().map(ToString::to_string).collect();
    let subnet = |path: &str| template().at(path).property("/CidrBlock");
    let public = ["Network/PublicA/Subnet", "Network/PublicB/Subnet"].map(subnet);
    assert_eq!(Json::from(trusted), Json::from(public.to_vec()), "the load balancer is in the public subnets");
}

/// A connection that the app closes first is one on which the load balancer sends a request into nothing.
#[test]
fn the_app_keeps_a_connection_longer_than_the_load_balancer() {
    let attributes = property("AWS::ElasticLoadBalancingV2::LoadBalancer", "/LoadBalancerAttributes");
    let idle = attributes.as_array().unwrap().iter().find(|it| it["Key"] == "idle_timeout.timeout_seconds").unwrap();
    let idle = Duration::from_secs(idle["Value"].as_str().unwrap().parse().unwrap());
    assert!(config().limits.keep_alive > idle, "{:?} and {idle:?}", config().limits.keep_alive);
    assert!(config().timeouts.idle < idle, "the app, which can say why, ends a silent stream first");
}

#[test]
fn the_app_ends_before_it_is_killed() {
    let stop = Duration::from_secs(container()["StopTimeout"].as_u64().unwrap());
    assert!(config().limits.shutdown < stop);
}

#[test]
fn there_is_a_file_for_every_request_and_its_upstream() {
    let limit = container()["Ulimits"][0]["SoftLimit"].as_u64().unwrap();
    assert!(limit > 2 * config().limits.in_flight as u64 + 1_000);
}

#[test]
fn secrets_are_where_the_app_looks_for_them() {
    let secrets = secrets();
    assert_eq!(secrets.prefix, NAME);
    let made = template().of_type("AWS::SecretsManager::Secret");
    let made: BTreeSet<_> = made.map(|(_, secret)| secret.property("/Name").as_str().unwrap().to_owned()).collect();
    // The one that may be missing is made by hand, and the tasks may ask for it by its name.
    let role = template().at("Task/Role/Resource").property("/Policies").to_string();
    for secret in SecretName::ALL {
        let name = format!("{}/{}", secrets.prefix, secret.name());
        let asked = format!(r#""secretsmanager:SecretId":"{name}""#);
        assert!(made.contains(&name) || secret.may_be_missing() && role.contains(&asked), "{name}");
    }
    assert!(made.iter().all(|name| SecretName::ALL.iter().any(|secret| name.ends_with(secret.name()))), "{made:?}");
}

/// The forms in which CloudFormation makes them are forms that the app reads.
#[test]
fn secrets_have_the_form_that_the_app_reads() {
    let generated = |path: &str| template().at(path).property("/GenerateSecretString");
    let log_in: Json =
        serde_json::from_str(generated("DatabaseSecret/Resource")["SecretStringTemplate"].as_str().unwrap()).unwrap();
    let key = generated("DatabaseSecret/Resource")["GenerateStringKey"].as_str().unwrap().to_owned();
    // What the attachment to the cluster adds.
    let mut database = json!({ "host": "h.rds.amazonaws.com", "port": 5432, "dbname": "proxy", "engine": "postgres" });
    database[&key] = "secret".into();
    database["username"] = log_in["username"].clone();
    let ca_file = given()["DATABASE_CA_FILE"].clone();
    let settings = SecretName::Database.settings(&database.to_string(), Some(&ca_file)).unwrap();
    let url = settings["DATABASE_URL"].expose();
    assert!(
        url.starts_with("postgres://proxy:secret@h%2Erds") || url.starts_with("postgres://proxy:secret@h.rds"),
        "{url}"
    );
    assert!(url.contains("sslmode=verify%2Dfull") && url.contains("rds%2Dglobal%2Dbundle"), "{url}");
    let length = generated("KeyHasherSecret/Resource")["PasswordLength"].as_u64().unwrap();
    assert!(length >= 32, "the app wants at least that");
}
