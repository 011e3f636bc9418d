//! Models: which one of Bedrock serves a request, and which ones a client is told of.

mod map;
mod serving;
