//! Lists the APIs and renders their OpenAPI documents; needs no database and no network.

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

    /// As YAML.
    pub fn yaml(&self) -> String {
        serde_yaml::to_string(&self.0).unwrap_or_default()
    }

    /// As JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(&self.0).unwrap_or_default()
    }
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
