//! Lists the APIs and renders their OpenAPI documents; needs no database and no network.

mod requests;
mod tidy;

use poem_openapi::{OpenApi, OpenApiService};
use serde_yaml::Value;

use crate::admin::admin_service;
use crate::ingress::proxy_service;

/// The description of an API.
#[derive(Debug)]
pub struct Document(Value);

impl Document {
    /// Describes an API.
    pub fn of<A: OpenApi>(service: &OpenApiService<A, ()>) -> Self {
        #[expect(clippy::expect_used, reason = "the library writes YAML; tests read every document")]
        let document = serde_yaml::from_str(&service.spec_yaml()).expect("YAML");
        Self(tidy::tidied(document))
    }

    /// The methods that a path takes, as the header `Allow` lists them; empty for a path that is not described.
    pub fn methods(&self, path: &str) -> String {
        let methods = self.operations(path).filter_map(|(method, _)| method.as_str());
        methods.map(str::to_ascii_uppercase).collect::<Vec<_>>().join(", ")
    }

    /// The schema of the JSON that an operation takes.
    pub fn request_schema(&self, method: &str, path: &str) -> Option<&Value> {
        self.operation(method, path)?.get("requestBody")?.get("content")?.get("application/json")?.get("schema")
    }

    /// A schema, or the one that it refers to.
    pub fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let only = schema.get("allOf").and_then(Value::as_sequence).and_then(|parts| parts.first());
        let reference = only.unwrap_or(schema).get("$ref").and_then(Value::as_str);
        let name = reference.and_then(|reference| reference.strip_prefix("#/components/schemas/"));
        name.and_then(|name| self.0.get("components")?.get("schemas")?.get(name)).unwrap_or(schema)
    }

    /// The words that a schema with this name allows, if it names them.
    pub fn values(&self, name: &str) -> Option<Vec<&str>> {
        words(self.0.get("components")?.get("schemas")?.get(name)?)
    }

    /// The name of a parameter of a path, by its place among them.
    pub fn path_parameter(&self, path: &str, place: usize) -> Option<&str> {
        let template = self.templates().find(|template| matches(template, path))?;
        let parameters = template.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        parameters.into_iter().nth(place)
    }

    fn templates(&self) -> impl Iterator<Item = &str> {
        let paths = self.0.get("paths").and_then(Value::as_mapping).into_iter().flatten();
        paths.filter_map(|(template, _)| template.as_str())
    }

    /// The names of the query parameters that an operation takes.
    pub fn query_parameters(&self, method: &str, path: &str) -> Option<Vec<&str>> {
        let parameters = self.operation(method, path)?.get("parameters").and_then(Value::as_sequence);
        let in_query = |of: &&Value| of.get("in").and_then(Value::as_str) == Some("query");
        let parameters = parameters.into_iter().flatten().filter(in_query);
        Some(parameters.filter_map(|of| of.get("name")?.as_str()).collect())
    }

    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let is_it = |name: &Value| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(method));
        self.operations(path).find_map(|(method, operation)| is_it(method).then_some(operation))
    }

    /// The operations of a path with their methods.
    fn operations(&self, path: &str) -> impl Iterator<Item = (&Value, &Value)> {
        let paths = self.0.get("paths").and_then(Value::as_mapping).into_iter().flatten();
        let here = paths.filter(move |(template, _)| template.as_str().is_some_and(|template| matches(template, path)));
        here.filter_map(|(_, operations)| operations.as_mapping()).flatten()
    }

    /// As YAML.
    pub fn yaml(&self) -> String {
        serde_yaml::to_string(&self.0).unwrap_or_default()
    }

    /// As JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(&self.0).unwrap_or_default()
    }
}

/// The words that a schema allows, if it names them.
pub fn words(schema: &Value) -> Option<Vec<&str>> {
    Some(schema.get("enum")?.as_sequence()?.iter().filter_map(Value::as_str).collect())
}

/// Whether a path is one of `/users/{user_id}`.
fn matches(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.trim_end_matches('/').split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(wanted, given)| wanted.starts_with('{') || wanted == given)
}

/// The documents by file name.
pub fn documents() -> [(&'static str, String); 4] {
    let (proxy, admin) = (Document::of(&proxy_service()), Document::of(&admin_service()));
    [
        ("proxy.yaml", proxy.yaml()),
        ("proxy.json", proxy.json()),
        ("admin.yaml", admin.yaml()),
        ("admin.json", admin.json()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_methods_of_a_path_are_those_of_its_operations() {
        let document = Document::of(&admin_service());
        assert_eq!(document.methods("/admin/users"), "GET, POST");
        assert_eq!(document.methods("/admin/users/"), "GET, POST");
        assert!(document.methods("/admin/users/7").starts_with("GET"));
        assert_eq!(document.methods("/admin/users/7/8/9"), "");
    }

    use crate::ingress::{DOCUMENTED, OPEN};

    #[test]
    fn the_document_names_every_documented_route_and_no_other() {
        let document: serde_json::Value = serde_json::from_str(&Document::of(&proxy_service()).json()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let mut in_document: Vec<String> = paths
            .iter()
            .flat_map(|(path, operations)| {
                operations.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))
            })
            .collect();
        let described = |method: &str, path: &str| {
            let path = path.replace(":access_key", "{access_key}").replace(":model_id", "{model_id}");
            format!("{} {path}", method.to_ascii_lowercase())
        };
        let mut in_routes: Vec<String> =
            DOCUMENTED.iter().map(|(method, path)| described(method.as_str(), path)).collect();
        in_routes.extend(OPEN.iter().map(|path| described("get", path)));
        in_document.sort();
        in_routes.sort();
        assert_eq!(in_document, in_routes);
    }
}
