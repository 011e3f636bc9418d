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
        // Of several with this name the first is as good as another; the place is taken once.
        let place = self.last_message.end.take().filter(|_| self.markers < MAX_MARKERS);
        let (Some(place), Some(marker)) = (place, self.fitted_marker(member)) else { return Fate::Cut };
        match place {
            ContentEnd::Block(end) => self.splice.replace(end..end, format!(r#","cache_control":{marker}"#)),
            ContentEnd::Text(text) => {
                self.splice.replace(text.start..text.start, r#"[{"type":"text","text":"#);
                self.splice.replace(text.end..text.end, format!(r#","cache_control":{marker}}}]"#));
            }
        }
        Fate::Cut
    }

    /// The marker as it stands in a block: with its time to live, where the model takes one.
    fn fitted_marker(&self, member: &Member) -> Option<String> {
        let members = json::members(self.text, member.value.start)?;
        let ttl = json::find(self.text, &members, "ttl").filter(|_| self.rules.row.cache_ttl);
        let ttl = ttl.and_then(|ttl| json::string(self.text, &ttl.value)).filter(|ttl| ttl == "1h");
        Some(if ttl.is_some() { r#"{"type":"ephemeral","ttl":"1h"}"# } else { r#"{"type":"ephemeral"}"# }.to_owned())
    }
}
