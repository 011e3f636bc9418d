//! `context_management`: forwarded together with its beta or not at all, edit by edit.

use super::Edit;
use super::walk::{Fate, Walk};
use crate::domain::RefusalKind;
use crate::wire::json::{self, Member};
use crate::wire::splice::Cuts;

const FIELD: &str = "context_management";

impl<'b> Walk<'b> {
    /// Keeps the edits that the model takes and whose beta goes along, and of the betas those that an edit still needs.
    pub(super) fn context_management(&mut self, member: Option<&Member>) -> Fate {
        let needed = member.map(|member| self.context_edits(member)).unwrap_or_default();
        // A beta without its field would be half a pair.
        let table = self.rules.table;
        self.betas.retain(|beta| {
            let of_an_edit = table.context_edits.iter().any(|edit| edit.beta == *beta);
            !of_an_edit || needed.contains(beta) || self.tool_betas.contains(beta)
        });
        if needed.is_empty() { Fate::Cut } else { Fate::Keep }
    }

    /// The betas of the edits that are kept; with none of them there is nothing to keep.
    fn context_edits(&mut self, member: &Member) -> Vec<&'b str> {
        let rules = self.rules;
        let taken = rules.row.context_management && !rules.refuses(RefusalKind::Field, FIELD);
        let text = self.text;
        let edits = || {
            let members = json::members(text, member.value.start)?;
            json::elements(text, json::find(text, &members, "edits")?.value.start)
        };
        let edits = edits().unwrap_or_default();
        let mut needed = Vec::new();
        let mut cuts = Cuts::default();
        let count = edits.len();
        for edit in edits {
            let kind = || {
                let members = json::members(text, edit.start)?;
                json::string(text, &json::find(text, &members, "type")?.value)
            };
            let kind = kind().unwrap_or_default();
            let known = rules.table.context_edits.iter().find(|known| known.r#type == kind);
            let kept = known
                .map(|known| (known.beta.as_str(), &known.dialects))
                .filter(|(beta, dialects)| taken && dialects.contains(&rules.dialect) && self.betas.contains(beta));
            needed.extend(kept.map(|(beta, _)| beta));
            cuts.item(edit, kept.is_some(), &mut self.splice);
        }
        if needed.is_empty() {
            self.note(Edit::Dropped(FIELD.into()));
        } else if needed.len() < count {
            self.note(Edit::Dropped("context_management.edits".into()));
        }
        cuts.finish(&mut self.splice);
        needed
    }
}
