//! What an upstream was asked, exactly as it came over the wire.

use bytes::Bytes;
use serde_json::Value;

/// One request that reached an upstream.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    /// The method, in capitals.
    pub method: String,
    /// Path and query as they stood in the request line, nothing decoded.
    pub target: String,
    /// The headers, names in lower case, in the order of their first appearance.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Bytes,
}

impl RecordedRequest {
    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// All values of a header which may come more than once; `name` in lower case.
    pub fn header_values(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(header, _)| header == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The body as JSON; panics where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{} has no JSON body: {error}", self.target))
    }
}
