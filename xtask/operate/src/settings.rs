//! What a deployment chooses: `deployment.yaml`, with words of the command line on top, checked as AWS would check it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value as Json;
use stack::core::{Deployment, Template};
use stack::proxy_stack::{PRODUCTION, Preset, SMALL};
use xtask::progress::loud;

/// What the deployment itself decides.
const OWN: [&str; 2] = ["ImageDigest", "Architecture"];

/// The options that say what is chosen.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Choices {
    /// File with the parameters of the stack; deployment.sample.yaml explains it
    #[arg(long, value_name = "FILE", default_value = "deployment.yaml")]
    parameters: PathBuf,
    /// A parameter, in place of that in the file; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    parameter: Vec<(String, String)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    preset: PresetName,
    parameters: BTreeMap<String, serde_json::Value>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PresetName {
    #[default]
    Production,
    Small,
}

impl PresetName {
    fn values(self) -> Preset {
        match self {
            Self::Production => PRODUCTION,
            Self::Small => SMALL,
        }
    }
}

/// Values for parameters, by their names; the others have their defaults.
pub(crate) type Values = BTreeMap<String, String>;

impl Choices {
    /// Reads the file of the checkout and the command line. Where AWS is a program on this machine and there is no file, the
    /// sample serves.
    pub(crate) fn read(&self, root: &Path, offline: bool) -> Result<Values> {
        let path = root.join(&self.parameters);
        let sample = root.join("deployment.sample.yaml");
        let path = if path.is_file() {
            path
        } else if offline {
            loud(format_args!("there is no {}: the sample is taken", self.parameters.display()));
            sample
        } else if self.parameter.is_empty() {
            bail!(
                "there is no {}: copy deployment.sample.yaml to it and fill it in, or give --parameter DomainName=... and so on",
                path.display()
            );
        } else {
            return Ok(self.parameter.iter().cloned().collect());
        };
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut values = parse(&text).with_context(|| format!("{} cannot be used", path.display()))?;
        values.extend(self.parameter.iter().cloned());
        let untouched = |name: &str, word: &str| values.get(name).is_some_and(|value| value.contains(word));
        if !offline && (untouched("DomainName", "example.com") || untouched("HostedZoneId", "EXAMPLE")) {
            bail!(
                "{} has the values of the sample: give DomainName and HostedZoneId (or CertificateArn) of your own",
                path.display()
            );
        }
        Ok(values)
    }
}

/// Everything that is wrong with the values, at once, in the words of the template.
pub(crate) fn check(template: &Template, values: &Values) -> Result<()> {
    let mut wrong = Vec::new();
    for name in OWN.iter().filter(|name| values.contains_key(**name)) {
        wrong.push(format!("{name} is decided by the image; leave it out"));
    }
    for (name, entry) in &template.parameters {
        let Some(value) = values.get(name) else {
            if entry.body.get("Default").is_none() {
                wrong.push(format!("{name} is missing: {}", entry.body["Description"].as_str().unwrap_or_default()));
            }
            continue;
        };
        if let Err(problem) = Deployment::new(template, &[(name, value)]) {
            wrong.push(problem);
        }
        let pattern = entry.body["AllowedPattern"].as_str().and_then(|pattern| regex_lite::Regex::new(pattern).ok());
        if pattern.is_some_and(|pattern| !pattern.is_match(value)) {
            let form = entry.body["ConstraintDescription"].as_str().unwrap_or("another form");
            wrong.push(format!("`{name}` cannot be `{value}`; give {form}"));
        }
    }
    let unknown = values.keys().filter(|name| !template.parameters.contains_key(*name));
    let known: Vec<_> = template.parameters.keys().map(String::as_str).collect();
    wrong.extend(unknown.map(|name| format!("there is no parameter `{name}`; there are {}", known.join(", "))));
    if wrong.is_empty() {
        wrong = broken_rules(template, values);
    }
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("the parameters cannot be used:\n  {}", wrong.join("\n  "))
}

/// What must hold between parameters, and does not.
fn broken_rules(template: &Template, values: &Values) -> Vec<String> {
    let given: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let Ok(deployment) = Deployment::new(template, &given) else { return Vec::new() };
    let assertions = template.rules.values().filter_map(|rule| rule.body["Assertions"].as_array()).flatten();
    let broken = assertions.filter(|assertion| !deployment.answers().test(&assertion["Assert"]));
    broken.map(|assertion| assertion["AssertDescription"].as_str().unwrap_or("a rule is broken").to_owned()).collect()
}

fn parse(text: &str) -> Result<Values> {
    let file: Option<File> = serde_yaml::from_str(text)?;
    let file = file.unwrap_or_default();
    let mut values: Values =
        file.preset.values().iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    for (name, value) in file.parameters {
        let value = match value {
            Json::String(text) => text,
            Json::Bool(flag) => flag.to_string(),
            Json::Number(number) if number.is_i64() => number.to_string(),
            // 15.10 would become 15.1.
            Json::Number(number) if name.ends_with("Capacity") => number.to_string(),
            other => bail!("{name} is {other}; write it in quotes"),
        };
        values.insert(name, value);
    }
    Ok(values)
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> Template {
        stack::proxy_stack::proxy_stack().synth().expect("the stack is in order").template
    }

    #[test]
    fn a_file_is_read_with_its_preset_below() -> Result<()> {
        let values = parse("preset: small\nparameters:\n  MaxTasks: 6\n  Waf: on\n  MinDatabaseCapacity: 0.5\n")?;
        let value = |name: &str| values.get(name).map(String::as_str);
        assert_eq!(
            [value("MaxTasks"), value("Waf"), value("MinDatabaseCapacity"), value("NatGateways")],
            [Some("6"), Some("on"), Some("0.5"), Some("1")]
        );
        assert!(parse("")?.is_empty());
        Ok(())
    }

    #[test]
    fn what_yaml_would_change_is_refused() {
        let told = |text| parse(text).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told("parameters:\n  EngineVersion: 15.10\n").contains("quotes"));
        assert!(told("parametres: {}\n").contains("parametres"));
        assert!(told("preset: huge\n").contains("small"));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let values = [("MaxTasks", "1"), ("AdminCidrs", "everywhere"), ("Colour", "blue"), ("ImageDigest", "x")];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let told = check(&template(), &values).err().map(|error| error.to_string()).unwrap_or_default();
        for part in ["DomainName is missing", "MaxTasks", "203.0.113.0/24", "`Colour`", "decided by the image"] {
            assert!(told.contains(part), "{part} is not in {told}");
        }
    }

    #[test]
    fn rules_between_parameters_hold_before_anything_is_sent() {
        let mut values: Values = [("DomainName".to_owned(), "proxy.example.com".to_owned())].into();
        let told = check(&template(), &values).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.contains("Give HostedZoneId, or CertificateArn"), "{told}");
        values.insert("HostedZoneId".to_owned(), "Z123".to_owned());
        assert!(check(&template(), &values).is_ok());
    }

    #[test]
    fn the_sample_can_be_used() -> Result<()> {
        let sample = std::fs::read_to_string(xtask::workspace::root().join("deployment.sample.yaml"))?;
        check(&template(), &parse(&sample)?)
    }
}
