//! What a model on Bedrock turned out to refuse: found in a 400, remembered for a while, respected by the body bridge.

use chrono::{DateTime, Utc};

use super::BedrockTarget;

/// One thing that a model refuses.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Refusal {
    /// What kind of thing.
    pub kind: RefusalKind,
    /// Which one: see the kinds.
    pub name: String,
}

/// A refusal of a model, and how long it is believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LearnedRefusal {
    /// Which model, where.
    pub target: BedrockTarget,
    /// What it refuses.
    pub refusal: Refusal,
    /// When it is asked again.
    pub expires_at: DateTime<Utc>,
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

    /// Whether it is about the model whatever else a request says, so that it may be left out of everybody's from then on.
    ///
    /// What one request was refused for may be right beside a beta, or for an account, that this request did not have:
    /// types of tools, beta features that were not named, and fields of single blocks and tools are mended each time anew.
    pub fn is_about_the_model(&self) -> bool {
        match self.kind {
            RefusalKind::ThinkingBlocks | RefusalKind::ToolType => false,
            RefusalKind::Beta => self.name != "*",
            RefusalKind::Field => !self.name.contains('.') || OF_MODELS.contains(&self.name.as_str()),
            RefusalKind::ThinkingType | RefusalKind::Effort | RefusalKind::ToolChoice | RefusalKind::CountTokens => {
                true
            }
        }
    }
}

/// Fields below the top that a model takes or refuses wherever they stand.
const OF_MODELS: &[&str] = &[
    "cache_control.scope",
    "cache_control.ttl",
    "messages.output_config",
    "metadata.user_id",
    "output_config.effort",
    "output_config.format",
    "output_config.task_budget",
    "thinking.display",
    "tools.strict",
];

/// Fields that are known to be refused somewhere, written as [`RefusalKind::Field`] writes them; the labels of metrics.
pub const KNOWN_FIELDS: &[&str] = &[
    "anthropic_beta",
    "betas",
    "cache_control",
    "cache_control.scope",
    "cache_control.ttl",
    "container",
    "context_management",
    "fallbacks",
    "inference_geo",
    "mcp_servers",
    "messages.caller",
    "messages.output_config",
    "metadata",
    "metadata.user_id",
    "output_config",
    "output_config.effort",
    "output_config.format",
    "output_config.task_budget",
    "output_format",
    "service_tier",
    "speed",
    "system",
    "temperature",
    "thinking",
    "thinking.display",
    "tool_choice",
    "tools",
    "tools.allowed_callers",
    "tools.defer_loading",
    "tools.eager_input_streaming",
    "tools.input_examples",
    "tools.strict",
    "top_k",
    "top_p",
];

/// The field of the closed list that a path is, if it is one; fit for the label of a metric.
pub fn known_field(path: &str) -> Option<&'static str> {
    KNOWN_FIELDS.iter().copied().find(|known| *known == path)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_may_be_needed_elsewhere_is_about_one_request_only() {
        let field = |name: &str| Refusal::new(RefusalKind::Field, name).is_about_the_model();
        assert!(field("a_field_of_tomorrow") && field("tools.strict") && field("cache_control.ttl"));
        assert!(!field("tools.display_width_px") && !field("messages.title"));
        assert!(!field("tools.input_examples") && !field("tools.eager_input_streaming"), "others have the beta for it");
        for (kind, name) in [(RefusalKind::ThinkingBlocks, "*"), (RefusalKind::ToolType, "x"), (RefusalKind::Beta, "*")]
        {
            assert!(!Refusal::new(kind, name).is_about_the_model());
        }
        assert!(Refusal::new(RefusalKind::Beta, "compact-2026-01-12").is_about_the_model());
    }

    #[test]
    fn names_of_kinds_are_read_back_and_unknown_ones_are_nothing() {
        for kind in RefusalKind::ALL {
            assert_eq!(RefusalKind::parse(kind.name()), Some(kind));
        }
        assert_eq!(RefusalKind::parse("of_tomorrow"), None);
    }
}
