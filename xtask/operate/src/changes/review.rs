//! The review: everything that a person has to know of a deployment before saying yes.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};

use serde::Serialize;
use serde_json::Value as Json;

use super::{Change, Grant, Kind, Snapshot, broadening, difference};

/// Longer values are cut in the review; `--json` has them whole.
const SHOWN: usize = 100;

/// What a deployment would change.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Review {
    /// What somebody may do who might not before.
    pub(crate) opened: Vec<Grant>,
    /// What nobody may do any more.
    pub(crate) closed: Vec<Grant>,
    /// Parameters with another value: what it was, and what it will be.
    pub(crate) parameters: BTreeMap<String, (Option<String>, Option<String>)>,
    /// The resources.
    pub(crate) changes: Vec<Change>,
    /// Construct paths by logical id.
    #[serde(skip)]
    paths: BTreeMap<String, String>,
}

impl Review {
    /// Compares what is with what shall be.
    pub(crate) fn new(old: &Snapshot, new: &Snapshot, paths: BTreeMap<String, String>) -> Self {
        let (opened, closed) = broadening(old, new);
        let names = old.parameters.keys().chain(new.parameters.keys());
        let parameters = names
            .map(|name| (name.clone(), (old.parameters.get(name).cloned(), new.parameters.get(name).cloned())))
            .filter(|(_, (old, new))| !same(old.as_deref(), new.as_deref()))
            .collect();
        Self { opened, closed, parameters, changes: difference(old, new), paths }
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.parameters.is_empty()
    }

    /// Notes what AWS says that it would make anew, or may: also what our comparison does not see, because only something that
    /// it refers to is another one afterwards.
    pub(crate) fn replaced(&mut self, certain: &[String], uncertain: &[String], present: &Snapshot) {
        for (ids, kind) in [(certain, Kind::Replaced), (uncertain, Kind::Changed)] {
            for id in ids {
                match self.changes.iter_mut().find(|change| change.id == *id) {
                    Some(change) if kind == Kind::Replaced => change.kind = kind,
                    Some(_) => {}
                    None => self.changes.extend(present.resources.get(id).map(|resource| Change {
                        id: id.clone(),
                        type_name: resource.type_name.clone(),
                        kind,
                        properties: Vec::new(),
                    })),
                }
            }
        }
    }

    fn count(&self, kind: Kind) -> usize {
        self.changes.iter().filter(|change| change.kind == kind).count()
    }

    fn name(&self, id: &str) -> String {
        match self.paths.get(id) {
            Some(path) => format!("{} ({id})", path.strip_suffix("/Resource").unwrap_or(path)),
            None => id.to_owned(),
        }
    }
}

impl Display for Review {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        // A first deployment opens everything; what matters is what changes.
        let fresh = self.changes.iter().all(|change| change.kind == Kind::Added) && self.changes.len() > 20;
        let moved = !self.opened.is_empty() || !self.closed.is_empty();
        if moved && !fresh {
            writeln!(out, "Permissions and networks")?;
            self.opened.iter().try_for_each(|grant| writeln!(out, "  + {}: {}", self.name(&grant.id), grant.text))?;
            self.closed.iter().try_for_each(|grant| writeln!(out, "  - {}: {}", self.name(&grant.id), grant.text))?;
        }
        if !self.parameters.is_empty() {
            writeln!(out, "Parameters")?;
            for (name, (old, new)) in &self.parameters {
                match (old, new) {
                    (Some(old), Some(new)) => writeln!(out, "  ~ {name}: {old:?} -> {new:?}")?,
                    (None, Some(new)) => writeln!(out, "  + {name}: {new:?}")?,
                    (old, None) => writeln!(out, "  - {name}: {:?}", old.as_deref().unwrap_or_default())?,
                }
            }
        }
        if fresh {
            return write!(out, "Resources: {} to add", self.changes.len());
        }
        if !self.changes.is_empty() {
            writeln!(out, "Resources")?;
        }
        for change in &self.changes {
            let mark = match change.kind {
                Kind::Added => "+",
                Kind::Changed => "~",
                Kind::Replaced => "!",
                Kind::Removed => "-",
            };
            let what = if change.kind == Kind::Replaced { ", made anew" } else { "" };
            writeln!(out, "  {mark} {} {}{what}", change.type_name, self.name(&change.id))?;
            for property in &change.properties {
                let [old, new] = [&property.old, &property.new].map(|value| shown(value.as_ref()));
                writeln!(out, "      {}: {old} -> {new}", property.path)?;
            }
        }
        let [added, changed, replaced, removed] =
            [Kind::Added, Kind::Changed, Kind::Replaced, Kind::Removed].map(|kind| self.count(kind));
        write!(out, "Resources: {added} to add, {changed} to change, {replaced} to make anew, {removed} to remove")
    }
}

/// `4` and `4.0` are the same number.
fn same(old: Option<&str>, new: Option<&str>) -> bool {
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok());
    old == new || number(old).is_some_and(|old| number(new).is_some_and(|new| (old - new).abs() < f64::EPSILON))
}

fn shown(value: Option<&Json>) -> String {
    let text = value.map_or_else(|| "nothing".to_owned(), Json::to_string);
    if text.chars().count() > SHOWN { text.chars().take(SHOWN).chain(['…']).collect() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_person_sees_what_changes_and_what_is_opened() -> anyhow::Result<()> {
        let template = |port: u16| {
            json!({ "Parameters": { "Port": { "Default": port } }, "Resources": {
                "Door": { "Type": "AWS::EC2::SecurityGroupIngress", "Properties": {
                    "CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": { "Ref": "Port" }, "ToPort": { "Ref": "Port" } } } } })
            .to_string()
        };
        let [old, new] = [443, 8443].map(|port| Snapshot::new(&template(port), &crate::settings::Values::new()));
        let mut review = Review::new(&old?, &new?, [("Door".to_owned(), "Network/Door/Resource".to_owned())].into());
        review.replaced(&["Door".to_owned()], &[], &Snapshot::default());
        let expected = r#"Permissions and networks
  + Network/Door (Door): in from 0.0.0.0/0, tcp port 8443
  - Network/Door (Door): in from 0.0.0.0/0, tcp port 443
Parameters
  ~ Port: "443" -> "8443"
Resources
  ! AWS::EC2::SecurityGroupIngress Network/Door (Door), made anew
      FromPort: 443 -> 8443
      ToPort: 443 -> 8443
Resources: 0 to add, 0 to change, 1 to make anew, 0 to remove"#;
        assert_eq!(review.to_string(), expected);
        Ok(())
    }

    #[test]
    fn what_only_aws_sees_is_shown_and_refused() -> anyhow::Result<()> {
        // The cluster says the same as before: it is in the group of that logical id, which is another one afterwards.
        let template = |name: &str| {
            json!({ "Resources": {
                "Group": { "Type": "AWS::RDS::DBSubnetGroup", "Properties": { "DBSubnetGroupName": name } },
                "Database": { "Type": "AWS::RDS::DBCluster", "Properties": { "DBSubnetGroupName": { "Ref": "Group" } } } } })
            .to_string()
        };
        let [old, new] = ["a", "b"].map(|name| Snapshot::new(&template(name), &crate::settings::Values::new()));
        let (old, new) = (old?, new?);
        let mut review = Review::new(&old, &new, BTreeMap::new());
        assert_eq!(review.changes.len(), 1);
        let said_by_aws = ["Group".to_owned(), "Database".to_owned()];
        review.replaced(&said_by_aws, &[], &old);
        assert!(review.to_string().contains("! AWS::RDS::DBCluster Database, made anew"), "{review}");
        let losses = crate::guard::losses(&review.changes, &[], &crate::guard::stateful(&old), &[]);
        assert_eq!(losses, ["AWS::RDS::DBCluster Database would be made anew, without what it holds"]);
        // What AWS is not sure of is shown as well.
        let mut review = Review::new(&old, &new, BTreeMap::new());
        review.replaced(&[], &said_by_aws, &old);
        assert_eq!(crate::guard::losses(&review.changes, &said_by_aws, &crate::guard::stateful(&old), &[]).len(), 1);
        Ok(())
    }
}
