//! `CountTokens`: which models have it, and what it takes.

use std::time::Duration;

use aws_sdk_bedrockruntime::primitives::Blob;
use aws_sdk_bedrockruntime::types::{CountTokensInput, InvokeModelTokensRequest};
use bytes::Bytes;

use super::{Bedrock, BedrockFailure, per_call, within};
use crate::domain::{BedrockTarget, Secret};
use crate::wire::json::{self, Member};
use crate::wire::splice::Splice;

/// Counting is quick or of no use: the client has an estimate of its own.
const COUNTED_WITHIN: Duration = Duration::from_secs(30);

/// The id without geography, under which alone tokens are counted. ARNs of application profiles do not tell it.
fn base_id(model: &str) -> Option<&str> {
    model.find("anthropic.").map(|at| &model[at..])
}

impl Bedrock {
    /// Whether Bedrock counts tokens for a model: an id, a profile, or an ARN that names one of these.
    pub fn counts_tokens(&self, model: &str) -> bool {
        base_id(model).is_some() && self.capabilities.row(model).count_tokens
    }

    /// Counts the tokens of a bridged body, which costs nothing.
    ///
    /// # Errors
    /// When Bedrock refuses, fails, or does not answer in time.
    pub async fn count_tokens(
        &self,
        target: &BedrockTarget,
        key: &Secret,
        body: &Bytes,
    ) -> Result<u32, BedrockFailure> {
        let body = Blob::new(countable(body));
        let input =
            InvokeModelTokensRequest::builder().body(body).build().map_err(|_| BedrockFailure::invalid_answer())?;
        let call = self
            .client
            .count_tokens()
            .model_id(base_id(&target.model).unwrap_or(&target.model))
            .input(CountTokensInput::InvokeModel(input));
        let call = call.customize().config_override(per_call(target, key)).send();
        let answer = within(self.timeouts.first_byte.min(COUNTED_WITHIN), call).await??;
        // The SDK reads an answer without the number, such as an error of AWS with status 200, as 0, which nothing costs.
        u32::try_from(answer.input_tokens).ok().filter(|tokens| *tokens > 0).ok_or_else(BedrockFailure::invalid_answer)
    }
}

/// The body as `InvokeModel` would take it, which is the condition for a count: without an empty list of tools, as Claude
/// Code sends one for a part of its prompt.
fn countable(body: &Bytes) -> Bytes {
    let Some(members) = json::members(body, 0) else { return body.clone() };
    let no_tools = |member: &Member| {
        member.name(body).as_deref() == Some("tools")
            && json::elements(body, member.value.start).is_some_and(|tools| tools.is_empty())
    };
    let mut splice = Splice::default();
    splice.edit_object(&members, |index| no_tools(&members[index]), &[]);
    splice.apply(body).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::bedrock::capabilities::Capabilities;

    #[test]
    fn models_before_the_fifth_generation_are_counted_for_by_their_base_id() {
        for (model, expected) in [
            ("global.anthropic.claude-opus-4-6-v1", Some("anthropic.claude-opus-4-6-v1")),
            ("anthropic.claude-3-5-haiku-20241022-v1:0", Some("anthropic.claude-3-5-haiku-20241022-v1:0")),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6",
                Some("anthropic.claude-sonnet-4-6"),
            ),
            ("us.anthropic.claude-opus-5", None),
            ("global.anthropic.claude-haiku-5-5", None),
            ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc-4", None),
        ] {
            let counted = base_id(model).filter(|_| Capabilities::built_in().row(model).count_tokens);
            assert_eq!(counted, expected, "{model}");
        }
    }

    #[test]
    fn a_body_gets_what_invoke_model_wants_of_it() {
        for (body, expected) in [
            (r#"{"messages":[]}"#, r#"{"messages":[]}"#),
            (r#"{"max_tokens":9,"tools":[{}]}"#, r#"{"max_tokens":9,"tools":[{}]}"#),
            (r#"{"tools":[ ],"messages":[]}"#, r#"{"messages":[]}"#),
            (r#"{"max_tokens":9,"tools":[]}"#, r#"{"max_tokens":9}"#),
        ] {
            assert_eq!(countable(&Bytes::from(body)), expected);
        }
    }
}
