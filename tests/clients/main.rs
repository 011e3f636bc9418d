//! The real clients against the real app: Claude Code and Anthropic's library for Python, between scripted upstreams.

#![expect(clippy::unwrap_used, reason = "in a test a broken assumption has to stop it on the spot")]

mod bedrock_body;
mod claude_code;
mod python;
mod usage;

// Every module here starts clients with it.
use support::program;
