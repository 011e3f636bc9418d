//! The cases: what the clients are started with and what is talked about.

use crate::talk::Talk;

/// Which client is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// The newest.
    ClaudeCode,
    /// The newest that runs on Node.js, older than much of what the newest sends.
    OldClaudeCode,
}

/// One pair of runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it looks at.
    pub(crate) about: &'static str,
    /// Who speaks.
    pub(crate) program: Program,
    /// The model's name on the way to the plan.
    pub(crate) model: &'static str,
    /// What the developer writes after the name; nothing: the name and its suffix are left to the client.
    pub(crate) suffix: Option<&'static str>,
    /// Its inference profile on Bedrock.
    pub(crate) profile: &'static str,
    /// Further options.
    pub(crate) options: &'static [&'static str],
    /// Further variables.
    pub(crate) variables: &'static [(&'static str, &'static str)],
    /// What is said.
    pub(crate) talk: Talk,
    /// What has to be in the client's last request, or the case would look at nothing.
    pub(crate) shows: &'static str,
}

const OPUS: (&str, &str) = ("claude-opus-5-5", "us.anthropic.claude-opus-5-5");
const SONNET_4_5: (&str, &str) = ("claude-sonnet-4-5", "us.anthropic.claude-sonnet-4-5-20250929-v1:0");
const HAIKU_4_5: (&str, &str) = ("claude-haiku-4-5", "us.anthropic.claude-haiku-4-5-20251001-v1:0");
const OPUS_4_5: (&str, &str) = ("claude-opus-4-5", "us.anthropic.claude-opus-4-5-20251101-v1:0");
const OPUS_4_6: (&str, &str) = ("claude-opus-4-6", "us.anthropic.claude-opus-4-6-v1");
const OPUS_4_7: (&str, &str) = ("claude-opus-4-7", "us.anthropic.claude-opus-4-7");
const OPUS_4_8: (&str, &str) = ("claude-opus-4-8", "us.anthropic.claude-opus-4-8");
const OPUS_5: (&str, &str) = ("claude-opus-5", "us.anthropic.claude-opus-5");
const SONNET_4_6: (&str, &str) = ("claude-sonnet-4-6", "us.anthropic.claude-sonnet-4-6");

/// Every case, in the order in which they run.
pub(crate) const CASES: &[Case] = &[
    case("plain", "a prompt for the model that the client takes by itself", OPUS, Talk::Plain).with_suffix(None),
    case("tool", "the result of a tool goes back", OPUS, Talk::Tool),
    case("thinking", "a signed thought goes back with it", OPUS, Talk::Thinking),
    case("image", "a tool has read a picture", OPUS, Talk::Reads("picture.png")),
    case("pdf", "a tool has read a document", OPUS, Talk::Reads("document.pdf")),
    case("subagent", "a subagent has requests of its own", OPUS, Talk::Subagent),
    case("cache-1h", "the prompt cache lives for an hour", OPUS, Talk::Plain)
        .with_variables(&[("ENABLE_PROMPT_CACHING_1H", "1")])
        .that_shows(r#""ttl":"1h""#),
    case("auto-mode", "the provider vets calls of tools", OPUS, Talk::Plain)
        .with_options(&["--permission-mode", "auto"])
        .that_shows(r#""safeguards":"#),
    case("auto-mode-json", "the same while a program reads along", OPUS, Talk::Plain)
        .with_options(&["--permission-mode", "auto", "--output-format", "stream-json", "--verbose"])
        .that_shows(r#""safeguards":"#),
    case("stream-json", "a program reads along", OPUS, Talk::Plain)
        .with_options(&["--output-format", "stream-json", "--verbose"])
        .that_shows("thinking-display-updates"),
    case("json-schema", "the answer has a form", OPUS, Talk::Form)
        .with_options(&["--json-schema", FORM])
        .that_shows(r#""name":"StructuredOutput""#),
    case("bare", "next to nothing but the prompt", OPUS, Talk::Thinking).with_options(&["--bare"]),
    case("effort", "more effort than usual", OPUS, Talk::Plain)
        .with_options(&["--effort", "max"])
        .that_shows(r#""effort":"max""#),
    case("fine-grained", "inputs of tools are streamed as they come", OPUS, Talk::Tool)
        .with_variables(&[("CLAUDE_CODE_ENABLE_FINE_GRAINED_TOOL_STREAMING", "1")])
        .that_shows(r#""eager_input_streaming":"#),
    case("no-tool-search", "every tool is described in full", OPUS, Talk::Tool)
        .with_variables(&[("ENABLE_TOOL_SEARCH", "0")]),
    case("no-betas", "experimental betas are off", OPUS, Talk::Thinking).with_variables(NO_BETAS),
    case("no-betas-haiku-4-5", "the same with an older model", HAIKU_4_5, Talk::Thinking).with_variables(NO_BETAS),
    case("no-thinking-4-5", "thoughts are off", SONNET_4_5, Talk::Tool).with_variables(NO_THINKING),
    case("no-thinking-4-6", "thoughts are off", OPUS_4_6, Talk::Tool).with_variables(NO_THINKING),
    case("sonnet-5-5", "Sonnet 5.5", ("claude-sonnet-5-5", "us.anthropic.claude-sonnet-5-5"), Talk::Thinking),
    case("haiku-5-5", "Haiku 5.5", ("claude-haiku-5-5", "us.anthropic.claude-haiku-5-5"), Talk::Thinking),
    case("fable-5-2", "Fable 5.2", ("claude-fable-5-2", "us.anthropic.claude-fable-5-2"), Talk::Thinking),
    case("opus-5-0", "Opus 5", OPUS_5, Talk::Thinking),
    case("opus-4-8", "Opus 4.8", OPUS_4_8, Talk::Thinking),
    case("opus-4-7", "Opus 4.7", OPUS_4_7, Talk::Thinking),
    case("opus-4-6", "Opus 4.6", OPUS_4_6, Talk::Thinking),
    case("sonnet-4-6", "Sonnet 4.6", SONNET_4_6, Talk::Thinking),
    case("opus-4-5", "Opus 4.5", OPUS_4_5, Talk::Thinking),
    case("sonnet-4-5", "Sonnet 4.5", SONNET_4_5, Talk::Thinking),
    case("sonnet-4-5-1m", "a context window of a million tokens", SONNET_4_5, Talk::Plain)
        .with_suffix(Some("[1m]"))
        .that_shows(r#""context-1m-"#),
    case("haiku-4-5", "Haiku 4.5", HAIKU_4_5, Talk::Thinking),
    case("old-sonnet-4-5", "an old client with Sonnet 4.5", SONNET_4_5, Talk::Thinking).of_old(),
    case("old-haiku-4-5", "an old client with Haiku 4.5", HAIKU_4_5, Talk::Thinking).of_old(),
    case("old-opus-4-6", "an old client with Opus 4.6", OPUS_4_6, Talk::Thinking).of_old(),
    case("old-tool-search", "an old client that searches for its tools", OPUS_4_6, Talk::Thinking)
        .with_variables(&[("ENABLE_TOOL_SEARCH", "1")])
        .of_old(),
];

/// The form of an answer.
const FORM: &str = r#"{"type":"object","properties":{"colour":{"type":"string"}},"required":["colour"]}"#;
const NO_BETAS: &[(&str, &str)] = &[("CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS", "1")];
const NO_THINKING: &[(&str, &str)] = &[("MAX_THINKING_TOKENS", "0")];

const fn case(name: &'static str, about: &'static str, model: (&'static str, &'static str), talk: Talk) -> Case {
    let (model, profile) = model;
    Case {
        name,
        about,
        program: Program::ClaudeCode,
        model,
        suffix: Some(""),
        profile,
        options: &[],
        variables: &[],
        talk,
        shows: talk.shows(),
    }
}

impl Case {
    const fn with_options(self, options: &'static [&'static str]) -> Self {
        Self { options, ..self }
    }

    const fn with_variables(self, variables: &'static [(&'static str, &'static str)]) -> Self {
        Self { variables, ..self }
    }

    const fn with_suffix(self, suffix: Option<&'static str>) -> Self {
        Self { suffix, ..self }
    }

    const fn that_shows(self, shows: &'static str) -> Self {
        Self { shows, ..self }
    }

    const fn of_old(self) -> Self {
        Self { program: Program::OldClaudeCode, ..self }
    }
}
