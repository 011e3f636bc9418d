//! The documentation that tries operations out: Swagger UI, served from the binary, and the document that it shows.

use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use poem::{IntoEndpoint, Response, Route};
use poem_openapi::OpenApiService;

use super::service::AdminApi;
use crate::openapi::Document;

const PAGE: &str = include_str!("docs/page.html");
const START: &str = include_str!("docs/start.js");
/// Nothing is loaded from anywhere else, and no script runs that is not ours. Swagger UI sets styles of single elements.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The page below `/admin/docs`, and the document beside it.
pub(super) fn docs(service: &OpenApiService<AdminApi, ()>, document: &Document) -> Route {
    let library = service.swagger_ui_html();
    // The library has one page with everything in it; apart, the policy can forbid scripts in pages.
    let script = between(&library, "<script charset=\"UTF-8\">", "</script>");
    let style = between(&library, "<style charset=\"UTF-8\">", "</style>");
    Route::new()
        .at("/admin/docs", file("text/html; charset=utf-8", PAGE.to_owned()))
        .at("/admin/docs/", file("text/html; charset=utf-8", PAGE.to_owned()))
        .at("/admin/docs/swagger-ui.js", file("text/javascript; charset=utf-8", script))
        .at("/admin/docs/swagger-ui.css", file("text/css; charset=utf-8", style))
        .at("/admin/docs/start.js", file("text/javascript; charset=utf-8", START.to_owned()))
        .at("/admin/openapi.json", file("application/json", document.json()))
        .at("/admin/openapi.yaml", file("application/yaml", document.yaml()))
}

fn between(text: &str, before: &str, after: &str) -> String {
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    found.map(|(found, _)| found.to_owned()).unwrap_or_default()
}

fn file(media_type: &'static str, text: String) -> impl IntoEndpoint {
    let text = Bytes::from(text);
    poem::get(poem::endpoint::make_sync(move |_| {
        Response::builder().header(CONTENT_TYPE, media_type).header(CONTENT_SECURITY_POLICY, POLICY).body(text.clone())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::admin_service;

    #[test]
    fn the_library_is_found_in_its_page() {
        let library = admin_service().swagger_ui_html();
        let script = between(&library, "<script charset=\"UTF-8\">", "</script>");
        let style = between(&library, "<style charset=\"UTF-8\">", "</style>");
        assert!(script.contains("SwaggerUIBundle") && script.len() > 100_000, "{}", script.len());
        assert!(style.contains(".swagger-ui") && style.len() > 10_000, "{}", style.len());
    }
}
