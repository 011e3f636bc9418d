//! Pure knowledge of the protocols: JSON as bytes, the head of a Messages request, the paths of Bedrock, header
//! rules and SSE frames.

pub mod content_coding;
pub mod delta;
pub mod headers;
pub mod idle;
pub mod json;
pub mod json_sieve;
pub mod last_event;
pub mod model_list;
pub mod native_path;
pub mod request_head;
pub mod splice;
pub mod sse;
pub mod sse_head;
pub mod sse_reader;
pub mod turn;
