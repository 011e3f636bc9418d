//! Every read of the admin API, with parameters as an administrator gives them. A new operation is added here and nowhere
//! else; a test finds the one that is missing.

mod reports;

use std::fmt::{Display, Formatter};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;
use xtask::workspace;

use super::values::Values::{self, Always, Each, NextOf};

/// An operation, and what it is asked for.
#[derive(Debug)]
pub(super) struct Read {
    /// Its id in the document.
    pub(super) operation: &'static str,
    /// What is asked for.
    pub(super) about: &'static str,
    /// What it is called with.
    pub(super) parameters: Vec<Parameter>,
    /// How long it may take.
    pub(super) bound: Bound,
}

/// A parameter of a read.
#[derive(Debug)]
pub(super) struct Parameter {
    /// Its name in the document.
    pub(super) name: &'static str,
    /// Whether it is a part of the path, and not of the query.
    pub(super) in_path: bool,
    /// What is given.
    pub(super) values: Values,
}

/// How long a read may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bound {
    /// It is looked at by somebody who waits.
    Quick,
    /// It reads single requests of everybody, which is why its range is bounded.
    Report,
}

/// Ids and names, each from all over the table, and always the same ones.
const USERS: Values = Each("SELECT id::text FROM users ORDER BY md5(id::text) LIMIT 100");
const KEYS: Values = Each("SELECT id::text FROM access_keys ORDER BY md5(id::text) LIMIT 100");
const KEYS_WITH_BEDROCK_KEY: Values =
    Each("SELECT access_key_id::text FROM bedrock_keys ORDER BY md5(access_key_id::text) LIMIT 100");
const PARTS_OF_NAMES: Values = Each("SELECT right(name, 3) FROM users ORDER BY md5(id::text) LIMIT 100");
const REQUESTS: Values = Each(
    "SELECT request_id::text FROM token_usage TABLESAMPLE SYSTEM (0.1) REPEATABLE (1) ORDER BY md5(request_id) LIMIT 100",
);
/// The largest page.
const LARGE: Values = Always("500");
/// A page of a list behind ten thousand others at the most.
const FAR: Values = NextOf(&[("limit", "SELECT '500'")]);

/// All that are measured.
pub(super) fn reads() -> Vec<Read> {
    let mut reads = vec![
        read("list_users", "first page"),
        read("list_users", "500 of them").with("limit", LARGE),
        read("list_users", "a page far in").with("cursor", FAR),
        read("list_users", "part of a name").with("search", PARTS_OF_NAMES),
        read("list_users", "inactive").with("status", Always("inactive")),
        read("get_user", "").on("user_id", USERS),
        read("get_user_budget", "").on("user_id", USERS),
        read("list_access_keys", "of a user").on("user_id", USERS),
        read("get_access_key", "").on("access_key_id", KEYS),
        read("get_bedrock_key", "").on("access_key_id", KEYS_WITH_BEDROCK_KEY),
        read("list_models", "all").with("limit", LARGE),
        read("list_prices", "all").with("limit", LARGE),
        read("list_prices", "of a model").with("model", Each("SELECT DISTINCT model FROM model_prices ORDER BY model")),
        read("list_circuits", "first page"),
        read("list_circuits", "500 of them").with("limit", LARGE),
        read("list_capabilities", "first page"),
        read("list_capabilities", "of a model")
            .with("model", Each("SELECT DISTINCT model FROM learned_capabilities ORDER BY model")),
        read("list_audit", "first page"),
        read("list_audit", "a page far in").with("cursor", FAR),
        read("list_audit", "about a user").with("object_type", Always("user")).with("object_id", USERS),
        read("list_audit", "by an administrator")
            .with("actor", Each("SELECT DISTINCT actor FROM audit_log ORDER BY actor")),
        read("list_audit", "500 since a day").with("limit", LARGE).with(
            "from",
            Each("SELECT to_json(now() - n * interval '7 days') #>> '{}' FROM generate_series(1, 100) AS n"),
        ),
        read("get_request", "").on("request_id", REQUESTS),
    ];
    reads.extend(reports::reads());
    reads
}

/// The document of the admin API.
pub(super) fn document() -> Result<Value> {
    let path = workspace::root().join("openapi/admin.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}

/// The reads of the document that are not measured.
pub(super) fn missing(document: &Value) -> Vec<&str> {
    let reads = reads();
    let operations = operations(document).map(|operation| operation["operationId"].as_str().unwrap_or_default());
    operations.filter(|id| !reads.iter().any(|read| read.operation == *id)).collect()
}

fn operations(document: &Value) -> impl Iterator<Item = &Value> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.map(|(_, operations)| &operations["get"]).filter(|operation| operation.is_object())
}

fn read(operation: &'static str, about: &'static str) -> Read {
    Read { operation, about, parameters: Vec::new(), bound: Bound::Quick }
}

impl Read {
    /// About these things, which the path names.
    fn on(self, name: &'static str, values: Values) -> Self {
        self.and(Parameter { name, in_path: true, values })
    }

    /// With a parameter of the query.
    fn with(self, name: &'static str, values: Values) -> Self {
        self.and(Parameter { name, in_path: false, values })
    }

    fn and(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }
}

impl Bound {
    /// What p95 may be.
    pub(super) fn longest(self) -> Duration {
        Duration::from_secs(match self {
            Self::Quick => 1,
            Self::Report => 5,
        })
    }
}

impl Display for Read {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        let comma = if self.about.is_empty() { "" } else { ", " };
        write!(out, "{}{comma}{}", self.operation, self.about)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_read_of_the_document_is_measured() {
        let document = document().unwrap();
        assert!(operations(&document).count() > 0, "the document has no reads");
        assert_eq!(missing(&document), Vec::<&str>::new(), "add these to {}", file!());
    }

    #[test]
    fn reads_and_their_parameters_are_in_the_document() {
        let document = document().unwrap();
        for read in reads() {
            let operation = operations(&document).find(|operation| operation["operationId"] == read.operation);
            let documented = operation.unwrap_or_else(|| panic!("{read}"))["parameters"].as_array();
            for Parameter { name, in_path, values } in &read.parameters {
                let place = if *in_path { "path" } else { "query" };
                let is_there = |name: &str, place: &str| {
                    documented.into_iter().flatten().any(|known| known["name"] == name && known["in"] == place)
                };
                assert!(is_there(name, place), "{read}: {name}");
                if let NextOf(parameters) = values {
                    assert!(parameters.iter().all(|(name, _)| is_there(name, "query")), "{read}: {parameters:?}");
                }
            }
        }
    }
}
