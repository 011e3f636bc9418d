//! One call of Bedrock, made again while Bedrock throttles it; owns what it needs, so that it can outlive the head of
//! the answer.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, future, stream};

use super::original::Original;
use super::refused::{Cause, Refused};
use super::throttle::Throttle;
use crate::domain::{Refusal, Secret};
use crate::telemetry::counters;
use crate::upstream::bedrock::Events;
use crate::upstream::bedrock::bridge::Bridged;

/// What is called, and with which key.
pub(super) struct Call {
    pub(super) key: Secret,
    pub(super) original: Original,
}

/// How a body is sent: [`Call::whole`] or [`Call::stream`].
pub(super) type Attempt<T> = for<'c> fn(&'c Call, Bridged) -> BoxFuture<'c, Result<T, Refused>>;

impl Call {
    /// Asks for a whole answer.
    pub(super) fn whole(&self, bridged: Bridged) -> BoxFuture<'_, Result<Bytes, Refused>> {
        let call = async { Ok(self.original.bedrock.invoke(&self.original.target, &self.key, bridged).await?) };
        call.boxed()
    }

    /// Asks for a stream and waits for the first event: an error in its place keeps its HTTP status.
    pub(super) fn stream(&self, bridged: Bridged) -> BoxFuture<'_, Result<Events, Refused>> {
        let call = async {
            let mut events = self.original.bedrock.invoke_stream(&self.original.target, &self.key, bridged).await?;
            match events.next().await {
                Some(Ok(first)) => Ok(Box::pin(stream::once(future::ready(Ok(first))).chain(events)) as Events),
                Some(Err(error)) => Err(Refused::before_content(error)),
                None => Ok(events),
            }
        };
        call.boxed()
    }

    /// Sends a body, and again what is the same body while Bedrock throttles and there is patience left.
    pub(super) async fn patiently<T>(
        &self,
        attempt: Attempt<T>,
        mut bridged: Bridged,
        refusals: &[Refusal],
        throttle: &mut Throttle,
    ) -> Result<T, Refused> {
        loop {
            let refused = match attempt(self, bridged).await {
                Ok(answer) => return Ok(answer),
                Err(refused) => refused,
            };
            let Cause::Throttled(retry_after) = refused.cause else { return Err(refused) };
            if !throttle.again(retry_after).await {
                return Err(refused);
            }
            let Ok(again) = self.original.bridged(refusals).await else { return Err(refused) };
            counters::bedrock_throttle_retry();
            bridged = again;
        }
    }
}
