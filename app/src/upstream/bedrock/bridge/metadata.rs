//! `metadata.user_id`: some surfaces of Bedrock take a small alphabet only, and Claude Code's is a JSON text.

use super::Edit;
use super::walk::{Fate, Walk};
use crate::domain::{Dialect, RefusalKind};
use crate::wire::json::{self, Member};

/// Characters that Bedrock's request metadata may have.
const MOST_CHARS: usize = 256;

impl Walk<'_> {
    /// `InvokeModel` takes the id as Claude Code sends it; where it does not fit, the session in it is what is kept.
    pub(super) fn metadata(&mut self, member: &Member) -> Fate {
        let must_fit = self.rules.dialect == Dialect::Messages || self.refuses(RefusalKind::Field, "metadata.user_id");
        let Some(members) = json::members(self.text, member.value.start) else { return Fate::Keep };
        self.cut_refused_fields("metadata", &members, "user_id");
        let user_id = json::find(self.text, &members, "user_id");
        let (true, Some(user_id)) = (must_fit, user_id) else { return Fate::Keep };
        let text = json::string(self.text, &user_id.value).unwrap_or_default();
        match fitted(&text) {
            Some(fitting) if fitting == text => Fate::Keep,
            Some(fitting) => {
                self.splice.replace(user_id.value.clone(), serde_json::Value::from(fitting).to_string());
                self.note(Edit::Changed("metadata.user_id", "session_id".into()));
                Fate::Keep
            }
            None => {
                self.note(Edit::Dropped("metadata".into()));
                Fate::Cut
            }
        }
    }
}

/// An id that fits: itself, or the session id inside of Claude Code's.
fn fitted(user_id: &str) -> Option<String> {
    let session_id = || {
        let id: serde_json::Value = serde_json::from_str(user_id).ok()?;
        Some(id.get("session_id")?.as_str()?.to_owned())
    };
    if fits(user_id) { Some(user_id.to_owned()) } else { session_id().filter(|id| !id.is_empty() && fits(id)) }
}

fn fits(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || "_:@$#=/+,-.".contains(c);
    text.len() <= MOST_CHARS && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B-07
    #[test]
    fn claude_codes_id_becomes_its_session() {
        let id = r#"{"device_id":"feab92","account_uuid":"","session_id":"5b69f887-dc05-48eb-85b8-549431ff1884"}"#;
        assert_eq!(fitted(id).as_deref(), Some("5b69f887-dc05-48eb-85b8-549431ff1884"));
        assert_eq!(fitted("user-7 @example.com").as_deref(), Some("user-7 @example.com"));
        for id in ["{}", r#"{"session_id":7}"#, r#"{"session_id":"{}"}"#, "naïve", &"x".repeat(257), "a\"b"] {
            assert_eq!(fitted(id), None, "{id}");
        }
    }
}
