//! The conversation: what Bedrock does not take of messages and their blocks.

use std::borrow::Cow;

use super::Edit;
use super::walk::{ContentEnd, Fate, LastMessage, MAX_DEPTH, Walk};
use crate::domain::RefusalKind;

/// What stands where all blocks of a message had to go; an empty message would be refused.
const NOTHING_LEFT: &str = r#"[{"type":"text","text":"(left out)"}]"#;

/// What a block is.
#[derive(Default)]
struct Block<'b> {
    kind: Cow<'b, str>,
    tool_name: Option<std::ops::Range<usize>>,
    has_marker: bool,
    last_member_end: Option<usize>,
}

impl<'b> Walk<'b> {
    /// Walks over `messages`.
    pub(super) fn messages(&mut self) -> Option<()> {
        self.array(Self::message)?;
        if self.thinking_dropped > 0 {
            self.note(Edit::ThinkingDropped(self.thinking_dropped));
        }
        Some(())
    }

    fn message(&mut self) -> Option<Fate> {
        let mut last = LastMessage::default();
        let mut role = None;
        let mut empty = true;
        let mut configures = false;
        self.object(|walk, name| match name {
            "role" => {
                role = Some(walk.string()?);
                Some(Fate::Keep)
            }
            "content" => {
                empty = walk.is_empty_array();
                last = walk.content()?;
                Some(Fate::Keep)
            }
            // Bedrock knows output_config for a whole request only.
            "output_config" => {
                configures = true;
                Some(walk.cut("messages.output_config"))
            }
            _ if walk.refused_field("messages", name) => Some(Fate::Cut),
            _ => walk.anything(name),
        })?;
        let Some((range, role)) = role else { return Some(Fate::Keep) };
        // It was there for its configuration alone, and would be refused as empty.
        if empty && configures && role == "system" {
            return Some(Fate::Cut);
        }
        if role == "system" && (!self.rules.row.system_messages || self.refuses(RefusalKind::Field, "messages.role")) {
            // It stays in its place: hoisted to the top it would say something else, and break the cache.
            self.splice.replace(range, "\"user\"");
            self.note(Edit::Changed("messages.role=system", "user".into()));
        }
        last.has_tool_result &= role == "user";
        // Messages of the system between a result and its answer do not end the turn.
        if role == "system" {
            self.last_message.end = last.end;
        } else {
            self.last_message = last;
        }
        Some(Fate::Keep)
    }

    fn is_empty_array(&self) -> bool {
        let mut ahead = self.cursor.clone();
        ahead.enter(b'[') && ahead.peek() == Some(b']')
    }

    /// Walks over the content of a message, or of a block in it.
    fn content(&mut self) -> Option<LastMessage> {
        if self.depth == MAX_DEPTH {
            self.cursor.skip()?;
            return Some(LastMessage::default());
        }
        self.depth += 1;
        let last = self.shallow_content();
        self.depth -= 1;
        last
    }

    fn shallow_content(&mut self) -> Option<LastMessage> {
        let start = self.cursor.position();
        if self.cursor.peek() == Some(b'"') {
            let text = self.cursor.skip()?;
            // A marker on an empty text would be refused.
            let end = (text.len() > 2).then_some(ContentEnd::Text(text));
            return Some(LastMessage { has_tool_result: false, end });
        }
        let mut last = LastMessage::default();
        let (kept, count) = self.array(|walk| {
            let (block, fate) = walk.block()?;
            last.has_tool_result |= block.kind == "tool_result";
            if fate == Fate::Keep {
                let takes_marker = !block.has_marker
                    && matches!(block.kind.as_ref(), "text" | "image" | "document" | "tool_result" | "tool_use");
                last.end = block.last_member_end.filter(|_| takes_marker).map(ContentEnd::Block);
            }
            Some(fate)
        })?;
        if kept == 0 && count > 0 {
            self.splice.replace(start..self.cursor.position(), NOTHING_LEFT);
            last.end = None;
        }
        Some(last)
    }

    fn block(&mut self) -> Option<(Block<'b>, Fate)> {
        let mut block = Block::default();
        let range = self.object(|walk, name| {
            let start = walk.cursor.position();
            let fate = match name {
                "type" => {
                    block.kind = walk.string()?.1;
                    Fate::Keep
                }
                "tool_name" => {
                    block.tool_name = Some(walk.cursor.skip()?);
                    Fate::Keep
                }
                "cache_control" => {
                    block.has_marker = true;
                    walk.anything(name)?
                }
                // Results of tools hold blocks too.
                "content" if walk.cursor.peek() == Some(b'[') => {
                    walk.content()?;
                    Fate::Keep
                }
                _ if walk.refused_field("messages", name) => Fate::Cut,
                _ => walk.anything(name)?,
            };
            if fate == Fate::Keep {
                walk.skip_from(start)?;
                block.last_member_end = Some(walk.cursor.position());
            }
            Some(fate)
        })?;
        let fate = match block.kind.as_ref() {
            "thinking" | "redacted_thinking" if self.drops_thinking() => {
                self.thinking_dropped += 1;
                Fate::Cut
            }
            "tool_reference" if !self.searches_tools() => {
                let name = block.tool_name.clone().map(|range| &self.text[range]);
                let name = name.filter(|name| name.starts_with(b"\"") && name.len() > 2).unwrap_or(b"\"(a tool)\"");
                let text = [br#"{"type":"text","text":"#, name, b"}"].concat();
                self.splice.replace(range, text);
                self.note(Edit::Changed("messages.tool_reference", "text".into()));
                Fate::Keep
            }
            _ => Fate::Keep,
        };
        Some((block, fate))
    }
}
