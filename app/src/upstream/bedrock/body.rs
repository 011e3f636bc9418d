//! Turns the body of a Messages request into the one that `InvokeModel` takes, by cutting and inserting, so that
//! everything which is not named here survives byte for byte.

use http::HeaderMap;

use super::betas;
use super::generation::{Capabilities, capabilities};
use crate::wire::json::{self, Member};
use crate::wire::splice::Splice;

/// The version of the body's form that every Claude model on Bedrock takes.
const ANTHROPIC_VERSION: &str = "bedrock-2023-05-31";

/// Fields that stand elsewhere on Bedrock: in the URL, in the choice of the operation, or added anew.
const MOVED: &[&str] = &["model", "stream", "anthropic_version", "anthropic_beta"];

/// Fields of the Messages API that Bedrock refuses.
const REFUSED: &[&str] =
    &["context_management", "service_tier", "container", "inference_geo", "mcp_servers", "speed", "fallbacks", "betas"];

/// A body for Bedrock, and what it had to leave behind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bridged {
    /// The body.
    pub body: Vec<u8>,
    /// Names of fields that were dropped, each once, in the order of their first appearance.
    pub dropped: Vec<&'static str>,
}

/// The request's body is no JSON object.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the request body is not a JSON object")]
pub struct NotAnObject;

/// Bridges a body for a model; `headers` are the client's, for their beta features.
///
/// # Errors
/// When the body is no valid JSON object; then nothing was done.
pub fn bridge(body: &[u8], headers: &HeaderMap, model: &str) -> Result<Bridged, NotAnObject> {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).map_err(|_| NotAnObject)?;
    let members = json::members(body, 0).ok_or(NotAnObject)?;
    let capabilities = capabilities(model);
    let mut bridge = Bridge { body, capabilities, splice: Splice::default(), dropped: Vec::new() };
    let remove = bridge.top_level(&members);
    bridge.nested(&members, &remove);
    let added = added_fields(&betas::for_bedrock(headers, capabilities));
    if members.is_empty() {
        return Err(NotAnObject);
    }
    bridge.splice.edit_object(&members, |index| remove[index], &added);
    Ok(Bridged { body: bridge.splice.apply(body), dropped: bridge.dropped })
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

    /// Cuts inside of members that stay.
    fn nested(&mut self, members: &[Member], removed: &[bool]) {
        let has_scope = memchr::memmem::find(self.body, b"\"scope\"").is_some();
        for (member, _) in members.iter().zip(removed).filter(|(_, removed)| !**removed) {
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
            if has_scope {
                self.cut_scopes(member);
            }
        }
    }

    /// Cuts `scope` out of `cache_control` at any depth; what tools are called with, or are made of, is not ours to read.
    fn cut_scopes(&mut self, member: &Member) {
        match member.name(self.body).as_deref() {
            Some("input" | "input_schema") => {}
            Some("cache_control") => self.cut_member(member.value.start, "scope", "cache_control.scope"),
            _ => self.cut_scopes_in_value(member.value.start),
        }
    }

    fn cut_scopes_in_value(&mut self, start: usize) {
        if let Some(members) = json::members(self.body, start) {
            // A message that loses its output_config whole must not lose parts of it as well.
            for member in members.iter().filter(|m| m.name(self.body).as_deref() != Some("output_config")) {
                self.cut_scopes(member);
            }
        } else if let Some(elements) = json::elements(self.body, start) {
            for element in elements {
                self.cut_scopes_in_value(element.start);
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
