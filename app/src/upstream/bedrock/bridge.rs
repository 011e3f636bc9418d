//! Turns the body of a Messages request into the one that Bedrock takes, by cutting and inserting, so that everything
//! which is not named here survives byte for byte.
//!
//! The yardstick is what Claude Code itself sends to Bedrock for the same prompt (`cargo xtask yardstick`). What a
//! model takes is data: its row of `capabilities.json`, less what it has turned out to refuse.

mod context;
mod marker;
mod messages;
mod metadata;
mod output;
mod system;
mod thinking;
mod tools;
mod top_level;
mod walk;

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::HeaderMap;

use super::betas;
use super::capabilities::{Capabilities, Row};
use crate::domain::{Dialect, Refusal, RefusalKind};
use walk::Walk;

/// What a body is bridged for.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'r> {
    /// The model that will serve it.
    pub model: &'r str,
    /// What is known of all models.
    pub table: &'r Capabilities,
    /// What that model takes.
    pub row: &'r Row,
    /// What that model has turned out to refuse beyond its row.
    pub refusals: &'r [Refusal],
    /// The form in which it is asked.
    pub dialect: Dialect,
}

impl<'r> Rules<'r> {
    /// The rules of the table that comes with the proxy, for `InvokeModel`.
    pub fn of(model: &'r str) -> Self {
        let table = Capabilities::built_in();
        Self { model, table, row: table.row(model), refusals: &[], dialect: Dialect::Invoke }
    }

    /// Whether the model has turned out to refuse that.
    pub(super) fn refuses(&self, kind: RefusalKind, name: &str) -> bool {
        self.refusals.iter().any(|refusal| refusal.kind == kind && refusal.name == name)
    }

    /// Whether the model has turned out to refuse the field `name` within a part of the body.
    fn refuses_field(&self, part: &str, name: &str) -> bool {
        self.refusals.iter().any(|refusal| {
            refusal.kind == RefusalKind::Field
                && refusal.name.split_once('.').is_some_and(|(of, field)| of == part && field == name)
        })
    }
}

/// A body for Bedrock, and what was done to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bridged {
    /// The body.
    pub body: Bytes,
    /// The beta features that go along; for `InvokeModel` they are in the body.
    pub betas: Vec<String>,
    /// The beta features that stayed behind, as the client named them to the plan.
    pub dropped_betas: Vec<String>,
    /// What became of fields that Bedrock does not take as they were, each once, in the order of their first appearance.
    pub edits: Vec<Edit>,
}

/// Something that is not at Bedrock what it was in the request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edit {
    /// A field, by its path without indices, or a value of one as `field=value`.
    Dropped(Cow<'static, str>),
    /// A field got another value.
    Changed(&'static str, Cow<'static, str>),
    /// So many thinking blocks of former turns.
    ThinkingDropped(usize),
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dropped(what) => f.write_str(what),
            Self::Changed(what, to) => write!(f, "{what}->{to}"),
            Self::ThinkingDropped(_) => f.write_str("messages.thinking"),
        }
    }
}

/// The request's body cannot be bridged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotBridgeable {
    /// It is no JSON, or something else than an object with members.
    #[error("the request body is not a JSON object with fields")]
    NotAnObject,
    /// More of it would have to be changed than of any request of a client.
    #[error("the request body has more than {} places that Bedrock does not take", walk::MAX_CHANGES)]
    TooManyChanges,
    /// It has more fields at its top than any request has.
    #[error("the request body has more than {} fields", top_level::MAX_FIELDS)]
    TooManyFields,
}

/// Bridges a body; `headers` are the client's, for their beta features. Reads each byte of the body twice, whatever is in
/// it: once to see that it is JSON, once to find what has to be changed.
///
/// # Errors
/// When the body is no valid JSON object, or an empty one; then nothing was done.
pub fn bridge(body: &[u8], headers: &HeaderMap, rules: Rules<'_>) -> Result<Bridged, NotBridgeable> {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).map_err(|_| NotBridgeable::NotAnObject)?;
    let asked = betas::asked(headers, &rules);
    let betas = betas::taken(&asked, &rules);
    let mut walk = Walk::new(body, rules, betas);
    let body = walk.body()?;
    let dropped = asked.iter().filter(|name| !walk.betas.contains(name)).map(|name| (*name).to_owned());
    Ok(Bridged {
        body: body.into(),
        dropped_betas: dropped.collect(),
        betas: walk.betas.iter().map(|name| (*name).to_owned()).collect(),
        edits: walk.edits,
    })
}

#[cfg(test)]
mod tests;
