//! `output_config` and `max_tokens`: how much the model says, and in which form.

use super::Edit;
use super::thinking::number;
use super::walk::{Fate, Walk};
use crate::domain::RefusalKind;
use crate::wire::json::{self, Member};

/// What a request gets that says nothing; the Messages API wants it said.
const DEFAULT_MAX_TOKENS: u64 = 4096;

impl Walk<'_> {
    /// Fits `output_config` to the model: the effort, and nothing that Bedrock does not offer.
    pub(super) fn output_config(&mut self, member: &Member) -> Fate {
        let Some(members) = json::members(self.text, member.value.start) else { return Fate::Keep };
        let cut: Vec<bool> = members
            .iter()
            .map(|member| match member.name(self.text).unwrap_or_default().as_ref() {
                "format" => self.drops("output_config.format"),
                "task_budget" => self.drops("output_config.task_budget"),
                "effort" if self.refused_field("output_config", "effort") => true,
                "effort" => self.effort(member),
                name => self.refused_field("output_config", name),
            })
            .collect();
        // An empty object is refused too, where there is no such field.
        if cut.iter().all(|cut| *cut) {
            return Fate::Cut;
        }
        self.splice.edit_object(&members, |index| cut[index], &[]);
        Fate::Keep
    }

    /// Whether the effort has to go; if only its level does, that is changed.
    fn effort(&mut self, member: &Member) -> bool {
        let row = self.rules.row;
        let asked = json::string(self.text, &member.value).unwrap_or_default();
        let refused = |level: &str| self.rules.refuses(RefusalKind::Effort, level);
        match row.effort_for(&asked, refused) {
            None => self.drops("output_config.effort"),
            Some(level) if level != asked => {
                self.splice.replace(member.value.clone(), format!("\"{level}\""));
                self.note(Edit::Changed("output_config.effort", level.into_owned().into()));
                false
            }
            Some(_) => false,
        }
    }

    fn drops(&mut self, what: &'static str) -> bool {
        self.note(Edit::Dropped(what.into()));
        true
    }

    /// The largest answer: as asked for, but no more than the model gives, and never more than was asked for. Returns it
    /// with the member to add where there is none.
    pub(super) fn max_tokens(&mut self, member: Option<&Member>, budget: Option<u64>) -> (u64, Option<Vec<u8>>) {
        let most = self.rules.row.max_tokens;
        let Some(member) = member else {
            let amount =
                budget.map_or(DEFAULT_MAX_TOKENS, |budget| budget.saturating_add(DEFAULT_MAX_TOKENS)).min(most);
            return (amount, Some(format!("\"max_tokens\":{amount}").into_bytes()));
        };
        match number(&self.text[member.value.clone()]) {
            Some(asked) if asked > most => {
                self.splice.replace(member.value.clone(), most.to_string());
                self.note(Edit::Changed("max_tokens", most.to_string().into()));
                (most, None)
            }
            asked => (asked.unwrap_or(most), None),
        }
    }
}
