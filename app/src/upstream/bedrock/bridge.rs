//! Turns the body of a Messages request into the one that `InvokeModel` takes, by cutting and inserting, so that
//! everything which is not named here survives byte for byte.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use http::HeaderMap;

use super::betas;
use super::generation::{Capabilities, capabilities};
use crate::domain::Refusal;
use crate::wire::json::{self, Member};
use crate::wire::splice::Splice;

/// The version of the body's form that every Claude model on Bedrock takes.
const ANTHROPIC_VERSION: &str = "bedrock-2023-05-31";

/// Fields that stand elsewhere on Bedrock: in the URL, in the choice of the operation, or added anew.
const MOVED: &[&str] = &["model", "stream", "anthropic_version", "anthropic_beta"];

/// Fields of the Messages API that Bedrock refuses.
const REFUSED: &[&str] =
    &["context_management", "service_tier", "container", "inference_geo", "mcp_servers", "speed", "fallbacks", "betas"];

/// What a body is bridged for.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'r> {
    /// The model that will serve it.
    pub model: &'r str,
    /// What that model has turned out to refuse beyond its row of the table.
    pub refusals: &'r [Refusal],
}

/// A body for Bedrock, and what was done to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bridged {
    /// The body.
    pub body: Bytes,
    /// What became of fields that Bedrock does not take as they were, each once, in the order of their first appearance.
    pub edits: Vec<Edit>,
}

/// Something that is not at Bedrock what it was in the request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edit {
    /// A field, by its path without indices, or a value of one as `field=value`.
    Dropped(Cow<'static, str>),
    /// A field got another value.
    Changed(Cow<'static, str>, Cow<'static, str>),
    /// So many thinking blocks of former turns.
    ThinkingDropped(usize),
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dropped(what) => f.write_str(what),
            Self::Changed(what, to) => write!(f, "{what}->{to}"),
            Self::ThinkingDropped(count) => write!(f, "thinking blocks={count}"),
        }
    }
}

/// The request's body is no JSON object.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the request body is not a JSON object")]
pub struct NotAnObject;

/// Bridges a body; `headers` are the client's, for their beta features. Reads each byte of the body at most
/// three times, whatever is in it.
///
/// # Errors
/// When the body is no valid JSON object, or an empty one; then nothing was done.
pub fn bridge(body: &[u8], headers: &HeaderMap, rules: Rules<'_>) -> Result<Bridged, NotAnObject> {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).map_err(|_| NotAnObject)?;
    let members = json::members(body, 0).filter(|members| !members.is_empty()).ok_or(NotAnObject)?;
    let capabilities = capabilities(rules.model);
    let mut bridge = Bridge { body, capabilities, splice: Splice::default(), dropped: Vec::new() };
    let remove = bridge.top_level(&members);
    bridge.thinking_and_messages(&members);
    bridge.cache_scopes(&members, &remove);
    let added = added_fields(&betas::for_bedrock(headers, capabilities));
    bridge.splice.edit_object(&members, |index| remove[index], &added);
    let edits = bridge.dropped.into_iter().map(|name| Edit::Dropped(name.into())).collect();
    Ok(Bridged { body: bridge.splice.apply(body).into(), edits })
}

struct Bridge<'b> {
    body: &'b [u8],
    capabilities: Capabilities,
    splice: Splice,
    dropped: Vec<&'static str>,
}

impl Bridge<'_> {
    /// Which members of the body go.
    fn top_level(&mut self, members: &[Member]) -> Vec<bool> {
        let mut remove = vec![false; members.len()];
        for (index, member) in members.iter().enumerate() {
            let Some(name) = member.name(self.body) else { continue };
            let refused = REFUSED.iter().copied().find(|field| *field == name);
            let refused = refused.or((name == "output_config" && !self.capabilities.effort).then_some("output_config"));
            if let Some(field) = refused {
                self.drop_field(field);
                remove[index] = true;
            } else if MOVED.contains(&name.as_ref()) {
                remove[index] = true;
            }
        }
        remove
    }

    /// Cuts what is refused one level further down.
    fn thinking_and_messages(&mut self, members: &[Member]) {
        for member in members {
            let name = member.name(self.body).unwrap_or_default();
            if name == "thinking" && !self.capabilities.thinking_display {
                self.cut_member(member.value.start, "display", "thinking.display");
            }
            if name == "messages" {
                for message in json::elements(self.body, member.value.start).unwrap_or_default() {
                    // Bedrock knows output_config for a whole request only.
                    self.cut_member(message.start, "output_config", "messages.output_config");
                }
            }
        }
    }

    /// Cuts `scope` out of `cache_control` at any depth; what tools are called with, or are made of, is not ours to read.
    fn cache_scopes(&mut self, members: &[Member], removed: &[bool]) {
        let body = self.body;
        // Requests without the word, written out or with an escape in it, are spared the walk.
        if memchr::memmem::find(body, b"scope").is_none() && memchr::memmem::find(body, b"\\u00").is_none() {
            return;
        }
        let is = |key: &Range<usize>, name: &str| json::string(body, key).is_some_and(|key| key == name);
        let enter = |key: &Range<usize>| !is(key, "input") && !is(key, "input_schema");
        for (index, member) in members.iter().enumerate() {
            if removed[index] || !enter(&member.key) {
                continue;
            }
            let mut found: Vec<Vec<Member>> = Vec::new();
            json::visit_objects(body, member.value.start, &enter, &mut |key, inner| {
                let key = key.unwrap_or(&member.key);
                if is(key, "cache_control") && json::find(body, inner, "scope").is_some() {
                    found.push(inner.to_vec());
                }
            });
            for inner in found {
                self.drop_field("cache_control.scope");
                let scope = |index: usize| is(&inner[index].key, "scope");
                self.splice.edit_object(&inner, scope, &[]);
            }
        }
    }

    fn cut_member(&mut self, object: usize, name: &str, reported: &'static str) {
        let Some(members) = json::members(self.body, object) else { return };
        let named: Vec<bool> = members.iter().map(|member| member.name(self.body).as_deref() == Some(name)).collect();
        if named.contains(&true) {
            self.drop_field(reported);
            self.splice.edit_object(&members, |index| named[index], &[]);
        }
    }

    fn drop_field(&mut self, field: &'static str) {
        if !self.dropped.contains(&field) {
            self.dropped.push(field);
        }
    }
}

/// `anthropic_beta` where there is any, and `anthropic_version`.
fn added_fields(betas: &[&str]) -> Vec<Vec<u8>> {
    let list = betas.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(",");
    let beta = (!betas.is_empty()).then(|| format!("\"anthropic_beta\":[{list}]").into_bytes());
    beta.into_iter().chain([format!("\"anthropic_version\":\"{ANTHROPIC_VERSION}\"").into_bytes()]).collect()
}

#[cfg(test)]
mod tests;
