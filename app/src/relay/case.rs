//! A request with everything that its way is decided by.

use std::sync::{Arc, OnceLock};

use super::Operation;
use crate::domain::{BedrockTarget, ClientPrincipal};
use crate::route::stays::Conversation;
use crate::telemetry::counters::{self, ContinuityLost};
use crate::upstream::plan::Exchange;
use crate::wire::{headers, turn};

/// A request and its holder.
pub(super) struct Case<'c> {
    pub(super) principal: &'c Arc<ClientPrincipal>,
    pub(super) exchange: &'c Exchange,
    pub(super) operation: Operation,
    pub(super) conversation: Conversation,
    /// The name of the model that it asks for.
    pub(super) model: &'c str,
    /// What Bedrock is asked for in its place, found out when it is needed.
    pub(super) target: OnceLock<BedrockTarget>,
}

impl Case<'_> {
    /// Whether the conversation would lose something by another provider's taking over.
    pub(super) fn is_in_mid_turn(&self) -> bool {
        !self.exchange.headers.contains_key(headers::CONTEXT_COMPACTED) && !turn::is_at_boundary(&self.exchange.body)
    }

    /// Another provider takes over; the thinking that the first one signed may be of no use to it.
    pub(super) fn changes_provider(&self) {
        if turn::has_signed_thinking(&self.exchange.body) && self.is_in_mid_turn() {
            counters::thinking_continuity_lost(ContinuityLost::ProviderChanged);
        }
    }
}
