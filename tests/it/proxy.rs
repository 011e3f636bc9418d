//! What happens to a request, from the client's and from the providers' side.

mod access;
mod bedrock;
mod bedrock_messages;
mod errors;
mod event_stream;
mod fallback;
mod http2;
mod plan;
mod streams;
