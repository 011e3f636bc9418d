//! The one walk over a body: where it stands, what it has found, what it has decided to change.

use std::ops::Range;

use super::{Edit, Rules};
use crate::domain::RefusalKind;
use crate::wire::json::{Cursor, Member};
use crate::wire::splice::{Cuts, Splice};

/// Objects nested deeper than this are left as they are; no request of a client comes near it.
pub(super) const MAX_DEPTH: usize = 64;
/// Changes to a body; each costs some dozens of bytes.
pub(super) const MAX_CHANGES: usize = 100_000;
/// Edits that are told of one request; a body can be made to need more.
const MAX_EDITS: usize = 64;

/// What becomes of a member or an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    Keep,
    Cut,
}

/// The end of the conversation, for what is decided by it.
#[derive(Clone, Default, Debug)]
pub(super) struct LastMessage {
    /// Whether it is a user's, with the result of a tool.
    pub(super) has_tool_result: bool,
    /// Where a cache marker could go.
    pub(super) end: Option<ContentEnd>,
}

/// The last piece of content of a message.
#[derive(Clone, Debug)]
pub(super) enum ContentEnd {
    /// A plain string, with its quotes.
    Text(Range<usize>),
    /// A block that takes a marker: where its last member ends.
    Block(usize),
}

pub(super) struct Walk<'b> {
    pub(super) text: &'b [u8],
    pub(super) rules: Rules<'b>,
    pub(super) cursor: Cursor<'b>,
    pub(super) splice: Splice,
    pub(super) edits: Vec<Edit>,
    /// Beta features that go along.
    pub(super) betas: Vec<&'b str>,
    /// Cache markers so far.
    pub(super) markers: usize,
    /// How many contents it stands in.
    pub(super) depth: usize,
    pub(super) thinking_dropped: usize,
    pub(super) last_message: LastMessage,
    /// Beta features that a tool of the request needs.
    pub(super) tool_betas: Vec<&'b str>,
    /// Names of tools that were cut.
    pub(super) cut_tools: Vec<String>,
    /// The tool that searches for deferred ones is gone.
    pub(super) without_search: bool,
    /// There is more to change than in any request of a client.
    pub(super) too_many: bool,
}

impl<'b> Walk<'b> {
    pub(super) fn new(text: &'b [u8], rules: Rules<'b>, betas: Vec<&'b str>) -> Self {
        Self {
            text,
            rules,
            cursor: Cursor::new(text, 0),
            splice: Splice::default(),
            edits: Vec::new(),
            betas,
            markers: 0,
            depth: 0,
            thinking_dropped: 0,
            last_message: LastMessage::default(),
            tool_betas: Vec::new(),
            cut_tools: Vec::new(),
            without_search: false,
            too_many: false,
        }
    }

    /// Walks over the object ahead. `each` gets the name of every member, the cursor before its value, and may walk into
    /// that; what it leaves is skipped. Says where the object stands.
    pub(super) fn object(&mut self, mut each: impl FnMut(&mut Self, &str) -> Option<Fate>) -> Option<Range<usize>> {
        let start = self.cursor.position();
        if !self.cursor.enter(b'{') {
            return self.cursor.skip();
        }
        let mut cuts = Cuts::default();
        while let Some(key) = self.cursor.next_key()? {
            let name = self.cursor.text_at(&key);
            let value = self.cursor.position();
            let fate = each(self, &name)?;
            self.skip_from(value)?;
            cuts.item(key.start..self.cursor.position(), fate == Fate::Keep, &mut self.splice);
            self.is_bounded()?;
        }
        cuts.finish(&mut self.splice);
        Some(start..self.cursor.position())
    }

    /// Walks over the array ahead in the same way. Says how many elements were kept and how many there were.
    pub(super) fn array(&mut self, mut each: impl FnMut(&mut Self) -> Option<Fate>) -> Option<(usize, usize)> {
        if !self.cursor.enter(b'[') {
            self.cursor.skip()?;
            return Some((0, 0));
        }
        let mut cuts = Cuts::default();
        let mut count = 0;
        while self.cursor.next_element()? {
            let start = self.cursor.position();
            let fate = each(self)?;
            self.skip_from(start)?;
            count += 1;
            self.is_bounded()?;
            cuts.item(start..self.cursor.position(), fate == Fate::Keep, &mut self.splice);
        }
        let kept = cuts.kept();
        cuts.finish(&mut self.splice);
        Some((kept, count))
    }

    /// Ends the walk over a body that was made to need more changes than memory should be spent on.
    fn is_bounded(&mut self) -> Option<()> {
        self.too_many |= self.splice.len() > MAX_CHANGES || self.cut_tools.len() > MAX_CHANGES;
        (!self.too_many).then_some(())
    }

    /// Walks over whatever is ahead, for the cache markers in it. What tools are called with, and what describes that, is
    /// not ours to read.
    pub(super) fn anything(&mut self, name: &str) -> Option<Fate> {
        self.anything_within(name, MAX_DEPTH)
    }

    fn anything_within(&mut self, name: &str, depth: usize) -> Option<Fate> {
        match (name, self.cursor.peek()?) {
            ("cache_control", b'{') => {
                self.marker()?;
            }
            ("input" | "input_schema", _) => {}
            (_, b'{') if depth > 0 => {
                self.object(|walk, name| walk.anything_within(name, depth - 1))?;
            }
            (_, b'[') if depth > 0 => {
                self.array(|walk| walk.anything_within("", depth - 1))?;
            }
            _ => {}
        }
        Some(Fate::Keep)
    }

    /// Goes behind the value at `start` unless somebody has walked into it.
    pub(super) fn skip_from(&mut self, start: usize) -> Option<()> {
        if self.cursor.position() == start {
            self.cursor.skip()?;
        }
        Some(())
    }

    /// Goes behind the string ahead and returns it; anything else is empty.
    pub(super) fn string(&mut self) -> Option<(Range<usize>, std::borrow::Cow<'b, str>)> {
        let range = self.cursor.skip()?;
        let text = self.cursor.text_at(&range);
        Some((range, text))
    }

    /// Whether a beta feature goes along.
    pub(super) fn has_beta(&self, name: &str) -> bool {
        self.betas.contains(&name)
    }

    /// Whether the model has turned out to refuse that.
    pub(super) fn refuses(&self, kind: RefusalKind, name: &str) -> bool {
        self.rules.refuses(kind, name)
    }

    /// Whether this conversation's thinking blocks were refused.
    pub(super) fn drops_thinking(&self) -> bool {
        self.rules.refusals.iter().any(|refusal| refusal.kind == RefusalKind::ThinkingBlocks)
    }

    /// A field that the model has turned out to refuse within a part of the body is cut.
    pub(super) fn refused_field(&mut self, part: &'static str, name: &str) -> bool {
        let refused = self.rules.refuses_field(part, name);
        if refused {
            self.note(Edit::Dropped(format!("{part}.{name}").into()));
        }
        refused
    }

    /// Cuts what the model has turned out to refuse of a small object; `but` is fitted elsewhere.
    pub(super) fn cut_refused_fields(&mut self, part: &'static str, members: &[Member], but: &str) {
        let name = |walk: &Self, index: usize| members[index].name(walk.text).unwrap_or_default().into_owned();
        let cut: Vec<bool> = (0..members.len())
            .map(|index| {
                let name = name(self, index);
                name != but && self.refused_field(part, &name)
            })
            .collect();
        if cut.contains(&true) {
            self.splice.edit_object(members, |index| cut[index], &[]);
        }
    }

    /// Cuts, and says so.
    pub(super) fn cut(&mut self, what: &'static str) -> Fate {
        self.note(Edit::Dropped(what.into()));
        Fate::Cut
    }

    /// Remembers an edit, each once.
    pub(super) fn note(&mut self, edit: Edit) {
        if self.edits.len() < MAX_EDITS && !self.edits.contains(&edit) {
            self.edits.push(edit);
        }
    }
}
