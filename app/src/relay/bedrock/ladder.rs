//! A request is asked of Bedrock, and exactly once more without what the model turned out to refuse.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use uuid::Uuid;

use super::call::{Attempt, Call};
use super::notices::Notices;
use super::refused::{Cause, Refused};
use super::throttle::Throttle;
use crate::domain::{BedrockTarget, LearnedRefusal, Refusal};
use crate::route::circuits::RegionTicket;
use crate::sharing::CapabilitySharing;
use crate::telemetry::counters::{self, ContinuityLost};
use crate::upstream::bedrock::LearnedCapabilities;
use crate::upstream::bedrock::bridge::{Bridged, Edit};
use crate::upstream::bedrock::diagnose::{Diagnosis, diagnose};

/// What was learnt from repairs, here and in other tasks.
#[derive(Clone, Debug)]
pub struct Repairs {
    /// What models refuse.
    pub learned: LearnedCapabilities,
    /// Tells other tasks.
    pub sharing: CapabilitySharing,
    /// How long a refusal is believed.
    pub believed_for: Duration,
}

impl Repairs {
    /// Remembers what a model refuses, and tells the other tasks.
    pub(in crate::relay) fn learn(&self, target: &BedrockTarget, refusals: &[Refusal]) {
        let now = Utc::now();
        let believed_for = TimeDelta::from_std(self.believed_for).ok();
        let Some(expires_at) = believed_for.and_then(|time| now.checked_add_signed(time)) else { return };
        for refusal in refusals {
            let learned = LearnedRefusal { target: target.clone(), refusal: refusal.clone(), expires_at };
            if self.learned.learn(learned.clone(), now) {
                self.sharing.tell(learned);
            }
        }
    }
}

/// One request on its way up.
pub(super) struct Ladder {
    pub(super) call: Call,
    /// What the first body was made without.
    pub(super) known: Vec<Refusal>,
    pub(super) ticket: RegionTicket,
    pub(super) repairs: Repairs,
    pub(super) notices: Notices,
    pub(super) access_key_id: Uuid,
}

/// An answer, and what had been done to the body that it answers.
pub(super) struct Delivered<T> {
    pub(super) answer: T,
    pub(super) edits: Vec<Edit>,
}

impl<T> Delivered<T> {
    pub(super) fn map<U>(self, with: impl FnOnce(T) -> U) -> Delivered<U> {
        Delivered { answer: with(self.answer), edits: self.edits }
    }
}

impl Ladder {
    /// Asks, and tells the breaker of the region, the counters and the other tasks how it went in the end.
    ///
    /// # Errors
    /// When Bedrock does not serve.
    pub(super) async fn climb<T>(self, first: Bridged, attempt: Attempt<T>) -> Result<Delivered<T>, Refused> {
        let mut edits = first.edits.clone();
        let mut throttle = Throttle::default();
        let mut asked = self.call.patiently(attempt, first, &self.known, &mut throttle).await;
        if let Some(words) = asked.as_ref().err().and_then(Refused::words)
            && let Some(diagnosis) = diagnose(words)
            && let Some((again, refusals)) = self.repaired(&diagnosis, &edits).await
        {
            edits.clone_from(&again.edits);
            asked = self.call.patiently(attempt, again, &refusals, &mut throttle).await;
            self.report(&diagnosis, &edits, asked.as_ref().err());
        }
        self.conclude(asked.as_ref().err(), &edits);
        asked.map(|answer| Delivered { answer, edits })
    }

    /// The body without what was refused as well; `None` if that is the same body.
    async fn repaired(&self, diagnosis: &Diagnosis, edits: &[Edit]) -> Option<(Bridged, Vec<Refusal>)> {
        let refusals: Vec<Refusal> = self.known.iter().chain(&diagnosis.refusals).cloned().collect();
        let again = self.call.original.bridged(&refusals).await.ok()?;
        // Where the edits are the same, the bodies usually are; only then they are worth comparing.
        let changed = again.edits != edits || again.body != self.call.original.bridged(&self.known).await.ok()?.body;
        changed.then_some((again, refusals))
    }

    /// Says what was done, and remembers what the model refuses once it has proved true: the second try was served, or the
    /// complaint is another one now, which the next request is repaired of.
    fn report(&self, diagnosis: &Diagnosis, edits: &[Edit], refused: Option<&Refused>) {
        let target = &self.call.original.target;
        let Some(kind) = diagnosis.refusals.first().map(|refusal| refusal.kind) else { return };
        let names: Vec<&str> = diagnosis.refusals.iter().map(|refusal| refusal.name.as_str()).collect();
        let names = names.join(",");
        let (region, model) = (&target.region, &target.model);
        let served = refused.is_none();
        tracing::info!(kind = kind.name(), names, region, model, served, "repaired");
        counters::bedrock_repair(kind);
        if edits.iter().any(|edit| matches!(edit, Edit::ThinkingDropped(_))) {
            counters::thinking_continuity_lost(ContinuityLost::Refused);
        }
        let next = refused.and_then(Refused::words).and_then(diagnose);
        let moved_on = next.is_some_and(|next| next.refusals.iter().all(|new| !diagnosis.refusals.contains(new)));
        if diagnosis.always && (served || moved_on) {
            self.repairs.learn(target, &diagnosis.refusals);
        }
    }

    fn conclude(self, refused: Option<&Refused>, edits: &[Edit]) {
        for edit in edits {
            if let Edit::Dropped(what) = edit {
                counters::field_dropped(what.split('=').next().unwrap_or(what));
            }
        }
        let target = &self.call.original.target;
        if let Some(refused) = refused {
            // What a repair has mended is told as that.
            let (region, model, status) = (&target.region, &target.model, refused.failure.status);
            let known = refused.words().is_some_and(|words| diagnose(words).is_some());
            tracing::warn!(region, model, status, known_wording = known, "Bedrock does not serve the request");
        }
        match refused.map(|refused| &refused.cause) {
            Some(Cause::Bedrock(_)) => return self.ticket.failed(Instant::now()),
            Some(Cause::Key) => {
                counters::bedrock_key_refused();
                self.notices.key_refused(self.access_key_id, &target.region, &target.model);
            }
            _ => {}
        }
        self.ticket.served(Instant::now());
    }
}
