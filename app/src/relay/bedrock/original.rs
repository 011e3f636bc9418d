//! A request as the client sent it, from which every body for Bedrock is made.

use bytes::Bytes;
use http::HeaderMap;

use crate::domain::{BedrockTarget, Dialect, Refusal};
use crate::upstream::bedrock::Bedrock;
use crate::upstream::bedrock::bridge::{self, Bridged, NotBridgeable};

/// Bodies up to this size take about a millisecond.
const BRIDGED_IN_PLACE: usize = 256 << 10;

/// What the client asks for, and of which model it is asked. Bodies are made of it anew for every try: keeping one that
/// has been sent would double the memory of every request for the sake of the few that are tried again.
#[derive(Clone)]
pub(super) struct Original {
    pub(super) bedrock: Bedrock,
    pub(super) target: BedrockTarget,
    pub(super) dialect: Dialect,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Original {
    /// The body for Bedrock without what is refused; a large one is made apart from the threads that serve everybody else.
    ///
    /// # Errors
    /// When the client's body is no JSON object.
    pub(super) async fn bridged(&self, refusals: &[Refusal]) -> Result<Bridged, NotBridgeable> {
        if self.body.len() <= BRIDGED_IN_PLACE {
            return self.bridge(refusals);
        }
        let (original, refusals) = (self.clone(), refusals.to_vec());
        let bridging = tokio::task::spawn_blocking(move || original.bridge(&refusals));
        // The bridge does not panic; if it ever did, the body would be one that it cannot bridge.
        bridging.await.unwrap_or(Err(NotBridgeable::NotAnObject))
    }

    fn bridge(&self, refusals: &[Refusal]) -> Result<Bridged, NotBridgeable> {
        bridge::bridge(&self.body, &self.headers, self.bedrock.rules(&self.target.model, refusals, self.dialect))
    }
}
