//! Cache markers: what Bedrock takes of `cache_control`, and what becomes of one that stands for the whole request.

use super::Edit;
use super::walk::{ContentEnd, Fate, Walk};
use crate::wire::json::{self, Member};

/// Markers that a request may have.
const MAX_MARKERS: usize = 4;

impl Walk<'_> {
    /// Walks over the marker ahead.
    pub(super) fn marker(&mut self) -> Option<()> {
        self.markers += 1;
        self.object(|walk, name| match name {
            "scope" => Some(walk.cut("cache_control.scope")),
            "ttl" if !walk.rules.row.cache_ttl => Some(walk.cut("cache_control.ttl")),
            _ if walk.refused_field("cache_control", name) => Some(Fate::Cut),
            _ => Some(Fate::Keep),
        })?;
        Some(())
    }

    /// `cache_control` at the top of the request: the model finds the place itself, or it is put where the model would
    /// have put it, at the end of the conversation.
    pub(super) fn automatic_marker(&mut self, member: &Member) -> Fate {
        if self.rules.row.automatic_cache && !self.rules.refuses(crate::domain::RefusalKind::Field, "cache_control") {
            let markers = self.markers;
            self.cursor = json::Cursor::new(self.text, member.value.start);
            // It has been walked over before, so it can be again.
            let _ = self.marker();
            self.markers = markers;
            return Fate::Keep;
        }
        self.note(Edit::Changed("cache_control", "messages.cache_control".into()));
        if self.markers < MAX_MARKERS && self.text.get(member.value.start) == Some(&b'{') {
            match self.last_message.end.clone() {
                Some(ContentEnd::Block(end)) => {
                    self.splice.replace(end..end, r#","cache_control":{"type":"ephemeral"}"#);
                }
                Some(ContentEnd::Text(text)) => {
                    self.splice.replace(text.start..text.start, r#"[{"type":"text","text":"#);
                    self.splice.replace(text.end..text.end, r#","cache_control":{"type":"ephemeral"}}]"#);
                }
                None => {}
            }
        }
        Fate::Cut
    }
}
