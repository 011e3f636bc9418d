//! A stack as a template and the values of its parameters make it, whether it is deployed or only wished for.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Map, Value as Json};
use stack::core::Answers;

use crate::settings::Values;

/// The resources that exist, with parameters and conditions put in; and the parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    /// By logical id.
    pub(crate) resources: BTreeMap<String, Resource>,
    /// Every parameter with its value, defaults among them.
    pub(crate) parameters: BTreeMap<String, String>,
}

/// A resource of a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resource {
    /// AWS's name of the type.
    pub(crate) type_name: String,
    /// What the template says beside the type: properties, and policies of deletion and the like.
    pub(crate) body: Json,
}

impl Snapshot {
    /// A template as text, with values for its parameters.
    pub(crate) fn new(template: &str, given: &Values) -> Result<Self> {
        let template: Json = serde_json::from_str(template)
            .or_else(|_| serde_yaml::from_str(template))
            .context("the template is neither JSON nor YAML")?;
        let section = |name: &str| template[name].as_object().cloned().unwrap_or_default();
        let mut values: BTreeMap<String, Json> = section("Parameters")
            .iter()
            .map(|(name, body)| (name.clone(), body.get("Default").cloned().unwrap_or_else(|| Json::from(""))))
            .collect();
        for (name, value) in given.iter().filter(|(name, _)| template["Parameters"].get(name.as_str()).is_some()) {
            values.insert(name.clone(), Json::from(value.clone()));
        }
        let answers = Answers::new(values.clone(), section("Conditions").into_iter().collect());
        let resources = section("Resources")
            .into_iter()
            .filter(|(_, body)| body["Condition"].as_str().is_none_or(|condition| answers.holds(condition)))
            .map(|(id, body)| {
                let type_name = body["Type"].as_str().unwrap_or_default().to_owned();
                (id, Resource { type_name, body: stripped(&answers.resolve(&body)) })
            })
            .collect();
        let parameters = values.keys().map(|name| (name.clone(), answers.parameter(name))).collect();
        Ok(Self { resources, parameters })
    }
}

/// Without what changes nothing in AWS, and without the properties that a condition takes away.
fn stripped(body: &Json) -> Json {
    let Some(fields) = body.as_object() else { return body.clone() };
    let kept =
        fields.iter().filter(|(name, _)| !matches!(name.as_str(), "Type" | "Metadata" | "Condition" | "DependsOn"));
    Json::Object(kept.map(|(name, value)| (name.clone(), without_nothing(value))).collect::<Map<_, _>>())
}

fn without_nothing(value: &Json) -> Json {
    let is_nothing = |value: &Json| value["Ref"] == "AWS::NoValue";
    match value {
        Json::Array(items) => items.iter().filter(|item| !is_nothing(item)).map(without_nothing).collect(),
        Json::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !is_nothing(value))
            .map(|(name, value)| (name.clone(), without_nothing(value)))
            .collect(),
        // CloudFormation takes texts for numbers, and so says the deployed parameter.
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"{
        "Parameters": { "Size": { "Default": 4 }, "Loud": { "Default": "no" } },
        "Conditions": { "IsLoud": { "Fn::Equals": [{ "Ref": "Loud" }, "yes"] } },
        "Resources": {
            "Queue": { "Type": "AWS::SQS::Queue", "Metadata": { "x": 1 }, "Properties": { "Size": { "Ref": "Size" },
                "Name": { "Fn::If": ["IsLoud", "loud", { "Ref": "AWS::NoValue" }] } } },
            "Alarm": { "Type": "AWS::CloudWatch::Alarm", "Condition": "IsLoud" }
        }
    }"#;

    #[test]
    fn parameters_and_conditions_are_put_in() -> Result<()> {
        let quiet = Snapshot::new(TEMPLATE, &Values::new())?;
        assert_eq!(quiet.resources.keys().collect::<Vec<_>>(), ["Queue"]);
        assert_eq!(quiet.resources["Queue"].body, serde_json::json!({ "Properties": { "Size": 4 } }));
        assert_eq!(quiet.parameters["Size"], "4");
        let loud = Snapshot::new(TEMPLATE, &[("Loud".to_owned(), "yes".to_owned())].into())?;
        assert_eq!(loud.resources["Queue"].body["Properties"]["Name"], "loud");
        assert!(loud.resources.contains_key("Alarm"));
        Ok(())
    }

    #[test]
    fn yaml_is_read_as_well() -> Result<()> {
        let read = Snapshot::new("Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n", &Values::new())?;
        assert_eq!(read.resources["Topic"].type_name, "AWS::SNS::Topic");
        Ok(())
    }
}
