//! `thinking`: the way of thinking that was asked for, or the one that the model has.

use super::Edit;
use super::walk::{Fate, Walk};
use crate::domain::RefusalKind;
use crate::wire::json::{self, Member};

/// The least budget that models take.
const LEAST_BUDGET: u64 = 1024;
/// The budget that Claude Code gives models which want one.
const USUAL_BUDGET: u64 = 31_999;

impl Walk<'_> {
    /// Fits `thinking` to the model; `max_tokens` is what the request will have.
    pub(super) fn thinking(&mut self, member: &Member, max_tokens: u64, effort: Option<&str>) -> Fate {
        let Some(members) = json::members(self.text, member.value.start) else { return Fate::Keep };
        let Some(kind_at) = json::find(self.text, &members, "type").map(|kind| kind.value.clone()) else {
            return Fate::Keep;
        };
        let kind = json::string(self.text, &kind_at).unwrap_or_default();
        let wanted = match kind.as_ref() {
            // Models that think on request want a thinking block at the beginning of an unfinished turn, and there is none.
            "enabled" if self.drops_thinking() && self.last_message.has_tool_result => None,
            known @ ("adaptive" | "enabled" | "disabled") => self.way_of_thinking(known),
            other => Some(other),
        };
        let Some(wanted) = wanted else {
            self.note(Edit::Dropped("thinking".into()));
            return Fate::Cut;
        };
        let budget_at = json::find(self.text, &members, "budget_tokens").map(|budget| budget.value.clone());
        let budget = budget_at.as_ref().and_then(|at| number(&self.text[at.clone()]));
        let mut added = Vec::new();
        match (kind.as_ref(), wanted) {
            ("adaptive", "enabled") => {
                let Some(budget) = budget_for(effort, max_tokens) else {
                    self.note(Edit::Dropped("thinking".into()));
                    return Fate::Cut;
                };
                added.push(format!("\"budget_tokens\":{budget}").into_bytes());
            }
            // Only where max_tokens had to be lowered: what the client itself made too large is for it to hear.
            ("enabled", "enabled")
                if budget.is_some_and(|budget| budget >= max_tokens) && self.max_tokens_lowered() =>
            {
                if let (Some(fitting), Some(at)) = (budget_for(None, max_tokens), budget_at) {
                    self.splice.replace(at, fitting.to_string());
                    self.note(Edit::Changed("thinking.budget_tokens", fitting.to_string().into()));
                }
            }
            _ => {}
        }
        if wanted != kind {
            self.splice.replace(kind_at, format!("\"{wanted}\""));
            self.note(Edit::Changed("thinking.type", wanted.to_owned().into()));
        }
        let without_display = !self.rules.row.thinking_display;
        let cut: Vec<bool> = members
            .iter()
            .map(|member| match member.name(self.text).unwrap_or_default().as_ref() {
                "budget_tokens" => wanted != "enabled" || wanted != kind,
                "display" if without_display => {
                    self.note(Edit::Dropped("thinking.display".into()));
                    true
                }
                name => self.refused_field("thinking", name),
            })
            .collect();
        self.splice.edit_object(&members, |index| cut[index], &added);
        Fate::Keep
    }

    fn max_tokens_lowered(&self) -> bool {
        self.edits.iter().any(|edit| matches!(edit, Edit::Changed("max_tokens", _)))
    }

    /// The way in which the model thinks when asked for this one; `None`: it cannot be told.
    fn way_of_thinking<'k>(&self, asked: &'k str) -> Option<&'k str> {
        let taken = |kind: &str| {
            self.rules.row.thinking.iter().any(|taken| taken == kind) && !self.refuses(RefusalKind::ThinkingType, kind)
        };
        let other = match asked {
            "adaptive" => "enabled",
            "enabled" => "adaptive",
            _ => asked,
        };
        [asked, other].into_iter().find(|kind| taken(kind))
    }
}

/// A budget below `max_tokens`; `None` when there is no room for one.
fn budget_for(effort: Option<&str>, max_tokens: u64) -> Option<u64> {
    let wish = match effort {
        Some("low") => USUAL_BUDGET / 8,
        Some("medium") => USUAL_BUDGET / 2,
        _ => USUAL_BUDGET,
    };
    let budget = wish.min(max_tokens.saturating_sub(1));
    (budget >= LEAST_BUDGET).then_some(budget)
}

/// A whole number as JSON writes it.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
