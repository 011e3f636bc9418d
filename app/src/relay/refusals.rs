//! What a client is told when no provider is asked: what is missing, and who can mend it.

use super::Operation;
use crate::domain::{ErrorType, Failure};
use crate::route::decision::Obstacle;

/// Unknown, malformed, revoked and expired keys are told the same.
pub(super) fn unknown_key() -> Failure {
    let message = "This access key is not valid: it is unknown, revoked or expired. Ask the administrator of your Claude Code proxy for a new one.";
    Failure::new(403, ErrorType::Permission, message).final_answer()
}

/// No key came at all.
pub(super) fn no_key() -> Failure {
    let message = "No access key came with this request. Set ANTHROPIC_BASE_URL, or ANTHROPIC_BEDROCK_BASE_URL for Bedrock's \
                   format, to https://<proxy>/ak/<access key>, or send the key as \
                   x-ccp-access-key, or as AWS_BEARER_TOKEN_BEDROCK. The administrator of your Claude Code proxy hands out access keys.";
    Failure::new(403, ErrorType::Permission, message).final_answer()
}

/// Nobody can serve the request.
pub(super) fn no_way(operation: Operation, obstacle: Obstacle) -> Failure {
    match operation {
        Operation::Messages => no_way_for_a_message(obstacle),
        Operation::CountTokens => no_count(),
        Operation::ListModels | Operation::GetModel => {
            let message = "The models cannot be told: the request brings no login or API key for the plan, and Bedrock is not set \
                           up for your access key.";
            Failure::new(501, ErrorType::NotSupported, message).final_answer()
        }
        Operation::Passthrough => {
            let message = "This path is served by the plan only, and the request brings no login or API key for it.";
            Failure::new(501, ErrorType::NotSupported, message).final_answer()
        }
    }
}

/// Nobody counts the tokens of a request. Claude Code makes its own estimate then.
pub(super) fn no_count() -> Failure {
    let message = "Tokens are not counted for this request: the plan cannot be asked, and Bedrock does not count for the \
                   model that would serve it. Estimate them.";
    Failure::new(501, ErrorType::NotSupported, message).final_answer()
}

fn no_way_for_a_message(obstacle: Obstacle) -> Failure {
    match obstacle {
        Obstacle::TooLarge => {
            let message = "The request is too large for Bedrock, and the plan cannot serve it.";
            Failure::new(413, ErrorType::RequestTooLarge, message).final_answer()
        }
        Obstacle::NoBedrockKey => {
            let message = "Your requests are served by Bedrock only, and no Bedrock key is registered for your access key. \
                           Ask the administrator of your proxy to register one.";
            Failure::new(403, ErrorType::Permission, message).final_answer()
        }
        Obstacle::PlanOnlyWithoutLogin => {
            let message = "Your requests are served by the plan only, and this one brings no login or API key for it. Log in \
                           with Claude Code, or ask the administrator of your proxy to let you use Bedrock.";
            Failure::new(403, ErrorType::Permission, message).final_answer()
        }
        Obstacle::NoLogin => {
            let message = "The request brings no login or API key for the plan, and Bedrock is not set up for your access key. \
                           Log in with Claude Code, or ask the administrator of your proxy to register a Bedrock key.";
            Failure::new(403, ErrorType::Permission, message).final_answer()
        }
    }
}
