//! What models have turned out to refuse, kept in memory for as long as it is believed; looked at before every call.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use moka::sync::Cache;

use crate::domain::{BedrockTarget, LearnedRefusal, Refusal, RefusalKind};

/// Models in regions that are remembered at the most; the least used go first.
const MODELS: u64 = 1000;
/// Refusals of one model that are remembered at the most.
const REFUSALS: usize = 64;
/// How many of them may have names that a client can make up. What finds no room is repaired each time anew.
const MADE_UP: usize = 48;

/// A refusal, until when it is believed, and since when it is known here.
type Believed = (Refusal, DateTime<Utc>, DateTime<Utc>);
type Known = Arc<[Believed]>;

/// The refusals of all models. Reading takes no lock.
#[derive(Clone, Debug)]
pub struct LearnedCapabilities {
    models: Cache<BedrockTarget, Known>,
}

impl Default for LearnedCapabilities {
    fn default() -> Self {
        Self { models: Cache::builder().max_capacity(MODELS).build() }
    }
}

impl LearnedCapabilities {
    /// What a model refuses, as far as that is known and believed.
    pub fn refusals(&self, target: &BedrockTarget, now: DateTime<Utc>) -> Vec<Refusal> {
        let known = self.models.get(target).unwrap_or_default();
        known.iter().filter(|(_, until, _)| *until > now).map(|(refusal, ..)| refusal.clone()).collect()
    }

    /// Remembers a refusal, and says whether there was room for it.
    pub fn learn(&self, learned: LearnedRefusal, now: DateTime<Utc>) -> bool {
        let LearnedRefusal { target, refusal, expires_at } = learned;
        if !refusal.is_about_the_model() || expires_at <= now {
            return false;
        }
        let mut remembered = true;
        self.models.entry(target).and_upsert_with(|entry| {
            let known = entry.map_or_else(Known::default, moka::Entry::into_value);
            let (same, others): (Vec<_>, Vec<_>) =
                known.iter().filter(|(_, until, _)| *until > now).cloned().partition(|(known, ..)| *known == refusal);
            remembered = !same.is_empty() || has_room(&others, refusal.kind);
            let latest = same.iter().map(|(_, until, _)| *until).fold(expires_at, DateTime::max);
            others.into_iter().chain(remembered.then_some((refusal, latest, now))).collect::<Vec<_>>().into()
        });
        remembered
    }

    /// Forgets a refusal: somebody has taken it back.
    pub fn forget(&self, target: &BedrockTarget, forgotten: &Refusal) {
        let Some(known) = self.models.get(target) else { return };
        if known.iter().any(|(refusal, ..)| refusal == forgotten) {
            self.models.entry(target.clone()).and_upsert_with(|entry| {
                let known = entry.map_or_else(Known::default, moka::Entry::into_value);
                known.iter().filter(|(refusal, ..)| refusal != forgotten).cloned().collect::<Vec<_>>().into()
            });
        }
    }

    /// Forgets what was known here before a moment and is not to be kept: somebody has taken it back.
    pub fn keep(&self, before: DateTime<Utc>, keep: impl Fn(&BedrockTarget, &Refusal) -> bool) {
        for (target, known) in &self.models {
            let stays = |(refusal, _, since): &&Believed| *since > before || keep(&target, refusal);
            if known.iter().all(|believed| stays(&believed)) {
                continue;
            }
            let kept: Known = known.iter().filter(stays).cloned().collect::<Vec<_>>().into();
            self.models.insert(BedrockTarget::clone(&target), kept);
        }
    }
}

fn has_room(known: &[Believed], kind: RefusalKind) -> bool {
    let made_up = known.iter().filter(|(refusal, ..)| can_be_made_up(refusal.kind)).count();
    known.len() < REFUSALS && (!can_be_made_up(kind) || made_up < MADE_UP)
}

fn can_be_made_up(kind: RefusalKind) -> bool {
    matches!(kind, RefusalKind::Beta | RefusalKind::Field | RefusalKind::ToolType)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn learned(model: &str, kind: RefusalKind, name: &str, expires_at: DateTime<Utc>) -> LearnedRefusal {
        let target = BedrockTarget { region: "us-east-1".to_owned(), model: model.to_owned() };
        LearnedRefusal { target, refusal: Refusal::new(kind, name), expires_at }
    }

    #[test]
    fn a_refusal_holds_for_its_model_and_its_time() {
        let (all, now) = (LearnedCapabilities::default(), Utc::now());
        let strict = learned("m", RefusalKind::Field, "tools.strict", now + TimeDelta::hours(1));
        assert!(all.learn(strict.clone(), now) && all.learn(strict.clone(), now));
        assert_eq!(all.refusals(&strict.target, now), std::slice::from_ref(&strict.refusal));
        let elsewhere = BedrockTarget { region: "eu-west-1".to_owned(), ..strict.target.clone() };
        assert_eq!(all.refusals(&elsewhere, now), []);
        assert_eq!(all.refusals(&strict.target, now + TimeDelta::hours(1)), [], "tried again after its time");
        assert!(!all.learn(strict, now + TimeDelta::hours(1)), "old news");
    }

    #[test]
    fn what_is_learnt_again_holds_for_longer_and_never_shorter() {
        let (all, now) = (LearnedCapabilities::default(), Utc::now());
        for hours in [2, 1] {
            all.learn(learned("m", RefusalKind::Effort, "max", now + TimeDelta::hours(hours)), now);
        }
        let target = learned("m", RefusalKind::Effort, "max", now).target;
        assert_eq!(all.refusals(&target, now + TimeDelta::minutes(90)).len(), 1);
    }

    #[test]
    fn what_was_taken_back_is_forgotten_unless_it_is_brand_new() {
        let (all, now) = (LearnedCapabilities::default(), Utc::now());
        let [kept, old, new] =
            ["low", "high", "max"].map(|level| learned("m", RefusalKind::Effort, level, now + TimeDelta::hours(1)));
        let minutes = |number| now - TimeDelta::minutes(number);
        all.learn(kept.clone(), minutes(9));
        all.learn(old, minutes(9));
        all.learn(new.clone(), now);
        all.keep(minutes(1), |target, refusal| (target, refusal) == (&kept.target, &kept.refusal));
        assert_eq!(all.refusals(&kept.target, now), [kept.refusal, new.refusal]);
    }

    #[test]
    fn one_refusal_is_forgotten_and_no_other() {
        let (all, now) = (LearnedCapabilities::default(), Utc::now());
        let [kept, gone] =
            ["low", "max"].map(|level| learned("m", RefusalKind::Effort, level, now + TimeDelta::hours(1)));
        all.learn(kept.clone(), now);
        all.learn(gone.clone(), now);
        for refusal in [&gone.refusal, &Refusal::new(RefusalKind::Effort, "high")] {
            all.forget(&gone.target, refusal);
        }
        assert_eq!(all.refusals(&kept.target, now), [kept.refusal]);
    }

    #[test]
    fn what_is_about_one_request_is_not_remembered() {
        let (all, now) = (LearnedCapabilities::default(), Utc::now());
        for (kind, name) in [(RefusalKind::ThinkingBlocks, "*"), (RefusalKind::Field, "tools.display_width_px")] {
            assert!(!all.learn(learned("m", kind, name, now + TimeDelta::hours(1)), now));
        }
    }

    /// Names that a client makes up fill neither the memory nor the room of what models really refuse.
    #[test]
    fn made_up_names_find_an_end() {
        let (all, now) = (LearnedCapabilities::default(), Utc::now());
        let until = now + TimeDelta::hours(1);
        let remembered =
            (0..1000).filter(|n| all.learn(learned("m", RefusalKind::Field, &format!("f{n}"), until), now)).count();
        assert_eq!(remembered, MADE_UP);
        assert!(all.learn(learned("m", RefusalKind::Effort, "max", until), now));
        for model in 0..2 * MODELS {
            all.learn(learned(&model.to_string(), RefusalKind::Effort, "max", until), now);
        }
        all.models.run_pending_tasks();
        assert!(all.models.entry_count() <= MODELS);
    }
}
