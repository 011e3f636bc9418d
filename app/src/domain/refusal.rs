//! What a model on Bedrock turned out to refuse: found in a 400, remembered for a while, respected by the body bridge.

/// One thing that a model refuses.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Refusal {
    /// What kind of thing.
    pub kind: RefusalKind,
    /// Which one: see the kinds.
    pub name: String,
}

/// Kinds of refused things, with what their names say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum RefusalKind {
    /// A value of `anthropic_beta`; `*` stands for every value outside of the core that all models take.
    Beta,
    /// A field: `context_management` at the top, `thinking.display` or `tools.strict` within a part of the body (the
    /// part and the field's own name, without what lies between), `cache_control.ttl` within any marker.
    Field,
    /// A value of `thinking.type`: `adaptive`, `enabled` or `disabled`.
    ThinkingType,
    /// A level of `output_config.effort`.
    Effort,
    /// A `type` of tools.
    ToolType,
    /// A `type` of `tool_choice` that forces a tool: `any` or `tool`.
    ToolChoice,
    /// Thinking blocks of this conversation, which another account has signed; never remembered.
    ThinkingBlocks,
    /// The operation `CountTokens`.
    CountTokens,
}

impl Refusal {
    /// A refusal.
    pub fn new(kind: RefusalKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }

    /// Whether it is about the model, and not about one request.
    pub fn is_about_the_model(&self) -> bool {
        self.kind != RefusalKind::ThinkingBlocks
    }
}

impl RefusalKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Beta,
        Self::Field,
        Self::ThinkingType,
        Self::Effort,
        Self::ToolType,
        Self::ToolChoice,
        Self::ThinkingBlocks,
        Self::CountTokens,
    ];

    /// The name in logs and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Beta => "beta",
            Self::Field => "field",
            Self::ThinkingType => "thinking_type",
            Self::Effort => "effort",
            Self::ToolType => "tool_type",
            Self::ToolChoice => "tool_choice",
            Self::ThinkingBlocks => "thinking_blocks",
            Self::CountTokens => "count_tokens",
        }
    }

    /// Reads the name; `None` for one of a newer version.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
