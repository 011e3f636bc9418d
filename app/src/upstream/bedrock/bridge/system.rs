//! The system prompt: the block in which Claude Code tells Anthropic whom to bill is not Bedrock's.

use super::walk::{Fate, Walk};

/// How the text of that block begins. Bedrock reserves the word, and its number, different in each conversation, would
/// keep conversations from sharing a cached prompt.
const BILLING: &[u8] = b"\"x-anthropic-billing-header:";

impl Walk<'_> {
    /// Walks over `system` and says whether something is left of it.
    pub(super) fn system(&mut self) -> Option<Fate> {
        if self.cursor.peek() == Some(b'"') {
            let text = self.cursor.skip()?;
            let billing = self.text[text].starts_with(BILLING);
            return Some(if billing { self.cut("system.x-anthropic-billing-header") } else { Fate::Keep });
        }
        let (kept, count) = self.array(|walk| {
            let mut fate = Fate::Keep;
            walk.object(|walk, name| match name {
                "text" => {
                    let text = walk.cursor.skip()?;
                    if walk.text[text].starts_with(BILLING) {
                        fate = walk.cut("system.x-anthropic-billing-header");
                    }
                    Some(Fate::Keep)
                }
                _ if walk.refused_field("system", name) => Some(Fate::Cut),
                _ => walk.anything(name),
            })?;
            Some(fate)
        })?;
        Some(if kept == 0 && count > 0 { Fate::Cut } else { Fate::Keep })
    }
}
