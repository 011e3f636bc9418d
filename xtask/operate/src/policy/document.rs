//! Statements, and the documents that they are packed into.

use serde_json::{Map, Value as Json, json};

/// What a managed policy takes, white space not counted.
pub(super) const LIMIT: usize = 6_144;

/// A statement that allows something.
pub(super) struct Statement {
    /// Its name.
    pub(super) sid: &'static str,
    pub(super) actions: Vec<&'static str>,
    pub(super) resources: Vec<String>,
    pub(super) condition: Option<Json>,
}

impl Statement {
    /// Actions on what has these ARNs.
    pub(super) fn on(sid: &'static str, resources: Vec<String>, actions: &[&'static str]) -> Self {
        Self { sid, actions: actions.to_vec(), resources, condition: None }
    }

    /// Actions on what has no name that is known before, or that AWS does not ask by name.
    pub(super) fn anywhere(sid: &'static str, condition: Option<Json>, actions: &[&'static str]) -> Self {
        Self { sid, actions: actions.to_vec(), resources: vec!["*".to_owned()], condition }
    }

    /// Only if this holds.
    pub(super) fn only_if(self, condition: Json) -> Self {
        Self { condition: Some(condition), ..self }
    }

    fn json(&self) -> Json {
        let mut fields = Map::new();
        fields.insert("Sid".to_owned(), json!(self.sid));
        fields.insert("Effect".to_owned(), json!("Allow"));
        fields.insert("Action".to_owned(), json!(self.actions));
        fields.insert("Resource".to_owned(), json!(self.resources));
        if let Some(condition) = &self.condition {
            fields.insert("Condition".to_owned(), condition.clone());
        }
        Json::Object(fields)
    }
}

/// Documents under the limit, with the statements in their order.
pub(super) fn pack(statements: &[Statement]) -> Vec<Json> {
    let empty = length(&document(&[]));
    let mut parts: Vec<Vec<Json>> = Vec::new();
    let mut room = 0;
    for statement in statements.iter().map(Statement::json) {
        // And the comma before it.
        let length = length(&statement) + 1;
        if length > room {
            parts.push(Vec::new());
            room = LIMIT - empty;
        }
        room = room.saturating_sub(length);
        if let Some(part) = parts.last_mut() {
            part.push(statement);
        }
    }
    parts.iter().map(|part| document(part)).collect()
}

fn document(statements: &[Json]) -> Json {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn length(value: &Json) -> usize {
    value.to_string().chars().filter(|character| !character.is_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_go_into_as_few_documents_as_they_fit_in() {
        let statement = |sid| Statement::on(sid, vec!["arn:aws:s3:::x".repeat(150)], &["s3:GetObject"]);
        let documents = pack(&["A", "B", "C", "D", "E"].map(statement));
        let numbers: Vec<_> = documents.iter().map(|it| it["Statement"].as_array().map_or(0, Vec::len)).collect();
        assert_eq!(numbers, [2, 2, 1]);
        assert!(documents.iter().all(|document| length(document) <= LIMIT));
    }
}
