//! Puts what AWS has made in place of the references to it, for a task that runs before CloudFormation would do so.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::aws::Identity;
use crate::deployed::Physical;

/// What AWS has made, by logical id, and where.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// The resources.
    pub(crate) resources: BTreeMap<String, Physical>,
    /// The account.
    pub(crate) identity: Identity,
    /// The region.
    pub(crate) region: String,
    /// The stack's name.
    pub(crate) stack: String,
}

impl Made {
    /// The value of an expression.
    ///
    /// # Errors
    /// What it refers to and is not known, because it is not made yet or of a type that is not known here.
    pub(crate) fn resolve(&self, value: &Json) -> Result<Json, String> {
        match value {
            Json::Array(items) => {
                items.iter().map(|item| self.resolve(item)).collect::<Result<_, _>>().map(Json::Array)
            }
            Json::Object(fields) => match fields.iter().next() {
                Some((name, argument)) if fields.len() == 1 && name == "Ref" => self.reference(&text(argument)),
                Some((name, argument)) if fields.len() == 1 && name.starts_with("Fn::") => self.call(name, argument),
                _ => {
                    let fields = fields.iter().map(|(name, value)| Ok((name.clone(), self.resolve(value)?)));
                    fields.collect::<Result<_, String>>().map(Json::Object)
                }
            },
            plain => Ok(plain.clone()),
        }
    }

    fn reference(&self, name: &str) -> Result<Json, String> {
        let pseudo = match name {
            "AWS::Region" => &self.region,
            "AWS::AccountId" => &self.identity.account,
            "AWS::Partition" => &self.identity.partition,
            "AWS::StackName" => &self.stack,
            _ => {
                return self.resources.get(name).map(|made| Json::from(made.id.clone())).ok_or_else(|| name.to_owned());
            }
        };
        Ok(Json::from(pseudo.clone()))
    }

    fn call(&self, name: &str, argument: &Json) -> Result<Json, String> {
        match (name, argument) {
            ("Fn::GetAtt", Json::Array(path)) => self.attribute(&path.iter().map(text).collect::<Vec<_>>()),
            ("Fn::GetAtt", Json::String(path)) => {
                self.attribute(&path.splitn(2, '.').map(str::to_owned).collect::<Vec<_>>())
            }
            ("Fn::Join", Json::Array(parts)) => {
                let separator = parts.first().map(text).unwrap_or_default();
                let items = self.resolve(parts.get(1).unwrap_or(&Json::Null))?;
                let items: Vec<_> = items.as_array().into_iter().flatten().map(text).collect();
                Ok(Json::from(items.join(&separator)))
            }
            ("Fn::Sub", Json::String(pattern)) => self.substitute(pattern),
            _ => Err(name.to_owned()),
        }
    }

    fn attribute(&self, path: &[String]) -> Result<Json, String> {
        let [id, attribute] = path else { return Err(path.join(".")) };
        let unknown = || format!("{id}.{attribute}");
        let made = self.resources.get(id).ok_or_else(unknown)?;
        let Identity { account, partition } = &self.identity;
        let name = &made.id;
        let arn =
            |service: &str, region: &str, rest: String| format!("arn:{partition}:{service}:{region}:{account}:{rest}");
        let known = match (made.type_name.as_str(), attribute.as_str()) {
            ("AWS::IAM::Role", "Arn") => arn("iam", "", format!("role/{name}")),
            ("AWS::KMS::Key", "Arn") => arn("kms", &self.region, format!("key/{name}")),
            ("AWS::Logs::LogGroup", "Arn") => arn("logs", &self.region, format!("log-group:{name}:*")),
            ("AWS::ECS::Cluster", "Arn") => arn("ecs", &self.region, format!("cluster/{name}")),
            ("AWS::ECR::Repository", "RepositoryUri") => {
                let suffix = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
                format!("{account}.dkr.ecr.{}.{suffix}/{name}", self.region)
            }
            // Who is named by an ARN already.
            (_, "Arn") if name.starts_with("arn:") => name.clone(),
            _ => return Err(unknown()),
        };
        Ok(Json::from(known))
    }

    fn substitute(&self, pattern: &str) -> Result<Json, String> {
        let mut parts = pattern.split("${");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').ok_or_else(|| pattern.to_owned())?;
            let value = match name.split_once('.') {
                Some((id, attribute)) => self.attribute(&[id.to_owned(), attribute.to_owned()])?,
                None => self.reference(name)?,
            };
            text += &self::text(&value);
            text += rest;
        }
        Ok(Json::from(text))
    }
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn made() -> Made {
        let resources = [
            ("Role", "AWS::IAM::Role", "proxy-role-1"),
            ("Images", "AWS::ECR::Repository", "proxy"),
            ("Key", "AWS::KMS::Key", "k-1"),
        ];
        let resources = resources.map(|(logical, type_name, id)| {
            (logical.to_owned(), Physical { id: id.to_owned(), type_name: type_name.to_owned() })
        });
        Made {
            resources: resources.into(),
            identity: Identity { account: "123456789012".to_owned(), partition: "aws".to_owned() },
            region: "us-east-1".to_owned(),
            stack: "proxy".to_owned(),
        }
    }

    #[test]
    fn references_become_what_aws_has_made() {
        let definition = json!({
            "Role": { "Fn::GetAtt": ["Role", "Arn"] },
            "Image": { "Fn::Join": ["@", [{ "Fn::GetAtt": ["Images", "RepositoryUri"] }, "sha256:1"]] },
            "Key": { "Fn::Sub": "${Key.Arn} in ${AWS::Region}" },
            "Plain": [1, { "Ref": "Role" }],
        });
        assert_eq!(
            made().resolve(&definition),
            Ok(json!({
                "Role": "arn:aws:iam::123456789012:role/proxy-role-1",
                "Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/proxy@sha256:1",
                "Key": "arn:aws:kms:us-east-1:123456789012:key/k-1 in us-east-1",
                "Plain": [1, "proxy-role-1"],
            }))
        );
    }

    #[test]
    fn what_is_not_made_yet_is_named() {
        assert_eq!(made().resolve(&json!([{ "Ref": "Queue" }])), Err("Queue".to_owned()));
        assert_eq!(made().resolve(&json!({ "Fn::GetAtt": ["Role", "RoleId"] })), Err("Role.RoleId".to_owned()));
        assert_eq!(made().resolve(&json!({ "Fn::Select": [0, []] })), Err("Fn::Select".to_owned()));
    }
}
