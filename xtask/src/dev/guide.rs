//! What to paste, and what to look at, once everything runs.

use std::env;
use std::fmt::{Display, Formatter, Result};

use super::access_key::AccessKey;
use super::administrator::Administrator;
use crate::postgres::Psql;

/// The facts that the text is made from.
pub(super) struct Guide<'a> {
    /// The proxy's port on 127.0.0.1.
    pub(super) port: u16,
    /// The developer's key.
    pub(super) key: &'a AccessKey,
    /// Who may use the admin API, unless the environment says it.
    pub(super) administrator: Option<&'a Administrator>,
    /// The proxy's database.
    pub(super) psql: &'a Psql,
    /// Whether the database is the one of `DATABASE_URL`, whose password must not be shown.
    pub(super) external: bool,
    /// With simulated upstreams: how many requests the plan answers.
    pub(super) plan_limit_after: Option<u32>,
}

impl Display for Guide<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let Self { port, key, .. } = self;
        writeln!(
            out,
            "\
             Claude Code Proxy is ready. Ctrl-C stops everything.\n\
             \n\
             \x20   health   http://127.0.0.1:{port}/health\n\
             \x20   ready    http://127.0.0.1:{port}/ready\n\
             \x20   admin    http://127.0.0.1:{port}/admin/docs/{}\n\
             \n\
             In another terminal:\n\
             \n\
             \x20   export ANTHROPIC_BASE_URL=http://127.0.0.1:{port}/ak/{}",
            self.login(),
            key.text
        )?;
        if self.plan_limit_after.is_some() {
            writeln!(out, "    export ANTHROPIC_API_KEY=sk-ant-simulated")?;
        }
        writeln!(out, "    claude -p \"say hi\"")?;
        if let Some(answered) = self.plan_limit_after {
            let psql = self.psql_command();
            experiments(out, answered, self.external, &psql)?;
        }
        bedrock(out, key, self.plan_limit_after.is_some())
    }
}

impl Guide<'_> {
    /// Whom to log in as at the admin API.
    fn login(&self) -> String {
        self.administrator.map_or_else(String::new, |Administrator { username, password, .. }| {
            format!("   log in as {username} with the password {password}")
        })
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

fn experiments(out: &mut Formatter<'_>, answered: u32, external: bool, psql: &str) -> Result {
    let requests = if answered == 1 { "1 request" } else { &format!("{answered} requests") };
    let usage = if answered == 0 {
        writeln!(
            out,
            "\n\
             1. A turn of a conversation, streamed. The simulated plan is limited from the start, so look for\n\
             \x20  `x-ccp-provider: bedrock` among the headers, and for `x-ccp-fallback: ...`, which says why.\n\
             \n\
             \x20   curl -sN -D - {TURN}"
        )?;
        2
    } else {
        writeln!(
            out,
            "\n\
             1. A turn of a conversation, streamed. Look for `x-ccp-provider: plan` among the headers.\n\
             \n\
             \x20   curl -sN -D - {TURN}\n\
             \n\
             2. The fallback. The simulated plan answers {requests} in all, then it is limited. Look for\n\
             \x20  `x-ccp-provider: bedrock` and for `x-ccp-fallback: ...`, which says why. Starting again resets it.\n\
             \n\
             \x20   for turn in $(seq {}); do curl -s -o /dev/null -D - {TURN} | grep -i '^x-ccp'; done",
            answered.saturating_add(1)
        )?;
        3
    };
    let where_set = if external { "\n   DATABASE_URL must be set in that terminal as it is in this one." } else { "" };
    writeln!(
        out,
        "\n\
         {usage}. The usage of what Bedrock served, a second or two later; what the plan serves is not stored.{where_set}\n\
         \n\
         \x20   {psql} -c \"{USAGE}\""
    )
}

fn bedrock(out: &mut Formatter<'_>, key: &AccessKey, simulated: bool) -> Result {
    let AccessKey { bedrock, has_bedrock_key, .. } = key;
    let (model, region) = (&bedrock.model, &bedrock.region);
    let change = "--region us-east-1 --model MODEL";
    if simulated {
        return writeln!(
            out,
            "\n\
             The default model of the simulated Bedrock is {model} in {region}. For others, stop and start again:\n\
             \n\
             \x20   cargo xtask dev --simulate {change}"
        );
    }
    if *has_bedrock_key {
        return writeln!(
            out,
            "\n\
             When the plan cannot serve, Bedrock does; the default model there is {model} in {region}.\n\
             For another region, model, inference profile or ARN, stop and start again:\n\
             \n\
             \x20   BEDROCK_API_KEY=... cargo xtask dev {change}"
        );
    }
    writeln!(
        out,
        "\n\
         This access key has no Bedrock key, so nothing can fall back. To add one, stop and start again with it:\n\
         \n\
         \x20   BEDROCK_API_KEY=... cargo xtask dev\n\
         \n\
         The default model there is then {model} in {region}, unless you add {change}."
    )
}

/// The address comes from the variable that was exported above, so the key stands in one place only.
const TURN: &str = "\"$ANTHROPIC_BASE_URL/v1/messages\" \
    -H 'content-type: application/json' -H 'anthropic-version: 2023-06-01' -H 'x-api-key: sk-ant-simulated' \
    -d '{\"model\":\"claude-opus-5-5\",\"max_tokens\":64,\"stream\":true,\
    \"messages\":[{\"role\":\"user\",\"content\":\"say hi\"}]}'";

const USAGE: &str = "select timestamp, model, upstream_model, input_tokens, output_tokens, cache_read_input_tokens, \
    cache_creation_input_tokens, provider, is_fallback, outcome from token_usage order by timestamp desc limit 5";

#[cfg(test)]
mod tests {
    use std::fmt::from_fn;

    use super::*;
    use crate::dev::kept::Bedrock;

    fn text(answered: u32, external: bool) -> String {
        from_fn(|out| experiments(out, answered, external, "PSQL")).to_string()
    }

    #[test]
    fn what_the_plan_answers_is_promised_and_nothing_else() {
        let (none, one, two) = (text(0, false), text(1, false), text(2, false));
        assert!(!none.contains("provider: plan") && none.contains("2. The usage"), "{none}");
        assert!(one.contains("answers 1 request in") && one.contains("seq 2"), "{one}");
        assert!(two.contains("provider: plan") && two.contains("answers 2 requests in"), "{two}");
    }

    #[test]
    fn a_variable_that_may_be_missing_is_told_beforehand() {
        assert!(text(3, true).contains("DATABASE_URL must be set"));
        assert!(!text(3, false).contains("DATABASE_URL"));
    }

    #[test]
    fn what_bedrock_is_asked_for_is_always_told() {
        for (simulated, has_bedrock_key) in [(true, true), (false, true), (false, false)] {
            let bedrock_of_key = Bedrock { region: "eu-west-1".to_owned(), model: "some.model".to_owned() };
            let key = AccessKey { text: "ak_x".to_owned(), has_bedrock_key, bedrock: bedrock_of_key };
            let text = from_fn(|out| bedrock(out, &key, simulated)).to_string();
            assert!(text.contains("some.model in eu-west-1") && text.contains("--region"), "{text}");
        }
    }
}
