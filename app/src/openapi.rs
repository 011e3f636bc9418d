//! Lists the APIs and renders their OpenAPI documents; needs no database and no network.

use crate::admin::admin_service;
use crate::ingress::proxy_service;

/// The documents by file name.
pub fn documents() -> [(&'static str, String); 4] {
    let (proxy, admin) = (proxy_service(), admin_service());
    [
        ("proxy.yaml", proxy.spec_yaml()),
        ("proxy.json", proxy.spec()),
        ("admin.yaml", admin.spec_yaml()),
        ("admin.json", admin.spec()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingress::{DOCUMENTED, OPEN};

    #[test]
    fn the_document_names_every_documented_route_and_no_other() {
        let document: serde_json::Value = serde_json::from_str(&proxy_service().spec()).unwrap();
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
