//! What to paste, and what to look at, once everything runs.

use std::env;
use std::fmt::{Display, Formatter};

use crate::postgres::Psql;

/// The facts that the text is made from.
pub(super) struct Guide<'a> {
    /// The proxy's port on 127.0.0.1.
    pub(super) port: u16,
    /// The developer's key.
    pub(super) access_key: String,
    /// Whether the key has a Bedrock key.
    pub(super) has_bedrock_key: bool,
    /// The proxy's database.
    pub(super) psql: &'a Psql,
    /// Whether the database is the one of `DATABASE_URL`, whose password must not be shown.
    pub(super) external: bool,
    /// With simulated upstreams: how many requests the plan answers.
    pub(super) plan_limit_after: Option<u32>,
}

impl Display for Guide<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { port, access_key, .. } = self;
        writeln!(
            out,
            "\
             Claude Code Proxy is ready. Ctrl-C stops everything.\n\
             \n\
             \x20   health   http://127.0.0.1:{port}/health\n\
             \x20   ready    http://127.0.0.1:{port}/ready\n\
             \n\
             In another terminal:\n\
             \n\
             \x20   export ANTHROPIC_BASE_URL=http://127.0.0.1:{port}/ak/{access_key}"
        )?;
        if self.plan_limit_after.is_some() {
            writeln!(out, "    export ANTHROPIC_API_KEY=sk-ant-simulated")?;
        }
        writeln!(out, "    claude -p \"say hi\"")?;
        if let Some(answered) = self.plan_limit_after {
            self.experiments(out, answered)?;
        }
        if !self.has_bedrock_key {
            writeln!(
                out,
                "\n\
                 This access key has no Bedrock key, so nothing can fall back. To add one, stop and start again with it:\n\
                 \n\
                 \x20   BEDROCK_API_KEY=... cargo xtask dev"
            )?;
        }
        Ok(())
    }
}

impl Guide<'_> {
    fn experiments(&self, out: &mut Formatter<'_>, answered: u32) -> std::fmt::Result {
        writeln!(
            out,
            "\n\
             1. A turn of a conversation, streamed. Look for `x-ccp-provider: plan` among the headers.\n\
             \n\
             \x20   curl -sN -D - {TURN}\n\
             \n\
             2. The fallback. The simulated plan answers {answered} requests, then it is limited. Look for\n\
             \x20  `x-ccp-provider: bedrock` and for `x-ccp-fallback: ...`, which says why. Starting again resets it.\n\
             \n\
             \x20   for turn in $(seq {}); do curl -s -o /dev/null -D - {TURN} | grep -i '^x-ccp'; done\n\
             \n\
             3. The usage of what Bedrock served, a second or two later; what the plan serves is not stored.\n\
             \n\
             \x20   {} -c \"{USAGE}\"",
            answered.saturating_add(1),
            self.psql_command()
        )
    }

    fn psql_command(&self) -> String {
        if self.external {
            return "psql \"$DATABASE_URL\"".to_owned();
        }
        let in_path =
            env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join("psql").is_file()));
        let program = if in_path { "psql".into() } else { self.psql.program().display().to_string() };
        format!("{program} \"{}\"", self.psql.url())
    }
}

/// The address comes from the variable that was exported above, so the key stands in one place only.
const TURN: &str = "\"$ANTHROPIC_BASE_URL/v1/messages\" \
    -H 'content-type: application/json' -H 'anthropic-version: 2023-06-01' -H 'x-api-key: sk-ant-simulated' \
    -d '{\"model\":\"claude-opus-5-5\",\"max_tokens\":64,\"stream\":true,\
    \"messages\":[{\"role\":\"user\",\"content\":\"say hi\"}]}'";

const USAGE: &str = "select timestamp, model, upstream_model, input_tokens, output_tokens, cache_read_input_tokens, \
    cache_creation_input_tokens, provider, is_fallback, outcome from token_usage order by timestamp desc limit 5";
