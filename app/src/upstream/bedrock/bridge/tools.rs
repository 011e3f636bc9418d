//! Tools: those that Anthropic runs itself, and fields of tools that Bedrock does not take.

use std::borrow::Cow;

use super::Edit;
use super::walk::{Fate, Walk};
use crate::domain::RefusalKind;
use crate::wire::json::{self, Member};
use crate::wire::splice::Splice;

/// The beta without which neither deferred tools nor references to them are taken.
const TOOL_SEARCH_BETA: &str = "tool-search-tool-2025-10-19";

impl Walk<'_> {
    /// Whether tools can be deferred until the model has searched for them.
    pub(super) fn searches_tools(&self) -> bool {
        self.has_beta(TOOL_SEARCH_BETA) && !self.without_search
    }

    /// Walks over `tools`. Where every tool would have to go, the request is about just those: then they stay, and
    /// Bedrock's own words tell the client.
    pub(super) fn tools(&mut self) -> Option<()> {
        let start = self.cursor.clone();
        let before = std::mem::take(&mut self.splice);
        let edits = self.edits.len();
        let searched = self.searches_tools();
        let (mut kept, mut count) = self.array(Self::tool)?;
        if searched && self.without_search {
            // Nothing finds the deferred tools any more, wherever they stand.
            self.cursor = start;
            self.splice = Splice::default();
            (kept, count) = self.array(Self::tool)?;
        }
        if kept == 0 && count > 0 {
            self.splice = Splice::default();
            self.edits.truncate(edits);
            self.cut_tools.clear();
        }
        let of_tools = std::mem::replace(&mut self.splice, before);
        self.splice.append(of_tools);
        Some(())
    }

    fn tool(&mut self) -> Option<Fate> {
        let mut kind = Cow::Borrowed("");
        let mut tool_name = Cow::Borrowed("");
        self.object(|walk, name| match name {
            "type" => {
                kind = walk.string()?.1;
                Some(Fate::Keep)
            }
            "name" => {
                tool_name = walk.string()?.1;
                Some(Fate::Keep)
            }
            "strict" => Some(walk.cut("tools.strict")),
            "defer_loading" if !walk.searches_tools() => Some(walk.cut("tools.defer_loading")),
            _ if walk.refused_field("tools", name) => Some(Fate::Cut),
            _ => walk.anything(name),
        })?;
        if self.takes_tool(&kind) {
            let betas = self.rules.table.tool_betas.iter().filter(|tool| kind.starts_with(tool.r#type.as_str()));
            self.tool_betas.extend(betas.map(|tool| tool.beta.as_str()));
            self.tool_betas.dedup();
            return Some(Fate::Keep);
        }
        self.without_search |= is_search(&kind);
        self.note(Edit::Dropped(format!("tools.type={}", shown(&kind)).into()));
        self.cut_tools.push(tool_name.into_owned());
        Some(Fate::Cut)
    }

    fn takes_tool(&self, kind: &str) -> bool {
        !self.refuses(RefusalKind::ToolType, kind)
            && !self.rules.table.refuses_tool(kind)
            && (!is_search(kind) || self.rules.row.tool_search && self.searches_tools())
    }

    /// `tool_choice` that forces a tool where the model does not let itself be forced, or one that is gone.
    pub(super) fn tool_choice(&mut self, member: &Member) -> Fate {
        let Some(choice) = json::members(self.text, member.value.start) else { return Fate::Keep };
        let text = |name| json::find(self.text, &choice, name).and_then(|found| json::string(self.text, &found.value));
        let kind = text("type").unwrap_or_default();
        let forces = matches!(kind.as_ref(), "any" | "tool");
        let refused = forces && !self.rules.row.forced_tool_choice || self.refuses(RefusalKind::ToolChoice, &kind);
        let gone = text("name").is_some_and(|name| self.cut_tools.contains(&name.into_owned()));
        if refused || gone {
            self.note(Edit::Dropped("tool_choice".into()));
            return Fate::Cut;
        }
        self.cut_refused_fields("tool_choice", &choice, "type");
        Fate::Keep
    }
}

/// Whether tools of that type search for others.
fn is_search(kind: &str) -> bool {
    kind.starts_with("tool_search_tool_")
}

/// A type of tools as it may stand in headers and logs.
fn shown(kind: &str) -> &str {
    let plain = !kind.is_empty() && kind.len() <= 64 && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain { kind } else { "other" }
}
