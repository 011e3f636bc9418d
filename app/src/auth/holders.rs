//! The holders of access keys in memory: what the database has said, and when it has to be asked again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::sync::Cache;

use crate::domain::{ClientPrincipal, KeyHash};

/// Keys remembered at the most, unknown ones included; at about 300 bytes each.
const MAX_ENTRIES: u64 = 50_000;
/// How long a key works on without the database having confirmed it.
const MAX_STALE: Duration = Duration::from_hours(24);
/// In place of the time at which the database was asked: it has to be asked again.
const OUTDATED: u64 = 0;

/// What is remembered; clones are the same.
#[derive(Clone, Debug)]
pub struct Holders {
    ttl: Duration,
    started: Instant,
    known: Cache<KeyHash, Arc<Entry>>,
    /// How many changes were heard of. An answer that a change has overtaken is not remembered.
    changes: Arc<AtomicU64>,
}

/// What the database said of a key, and when (milliseconds since the start) it was last asked.
#[derive(Debug)]
struct Entry {
    principal: Option<Arc<ClientPrincipal>>,
    asked_at: AtomicU64,
    /// Changes that had been heard of before.
    changes: u64,
}

/// What is remembered of a key.
#[derive(Debug)]
pub struct Known {
    /// Its holder; `None`: the key is not valid.
    pub principal: Option<Arc<ClientPrincipal>>,
    /// Whoever gets this asks the database again. Others go on with the old answer meanwhile, so that one slow look-up never
    /// holds up more than one request.
    pub claim: Option<Claim>,
}

/// The right to renew an answer. A request that is dropped before it has asked gives it back: else a client that
/// always leaves early could keep a revoked key alive.
#[derive(Debug)]
pub struct Claim {
    entry: Arc<Entry>,
    before: Option<u64>,
}

/// A question to the database, from before it is asked.
#[derive(Debug)]
pub struct Question {
    asked_at: u64,
    changes: u64,
}

impl Holders {
    /// Nothing is known yet; an answer is trusted for `ttl`.
    pub fn new(ttl: Duration) -> Self {
        let known = Cache::builder().max_capacity(MAX_ENTRIES).time_to_live(MAX_STALE).build();
        Self { ttl, started: Instant::now(), known, changes: Arc::default() }
    }

    /// What is known of a key, if anything is that still counts.
    pub fn recall(&self, hash: &KeyHash) -> Option<Known> {
        let entry = self.known.get(hash).filter(|entry| self.believes(entry))?;
        let principal = entry.principal.clone();
        Some(Known { principal, claim: self.claim_refresh(entry) })
    }

    /// The database is about to be asked.
    pub fn question(&self) -> Question {
        Question { asked_at: self.now(), changes: self.changes.load(Ordering::SeqCst) }
    }

    /// The database has answered.
    pub fn remember(&self, hash: KeyHash, principal: Option<Arc<ClientPrincipal>>, question: &Question) {
        let Question { asked_at, changes } = *question;
        if self.changes.load(Ordering::SeqCst) != changes {
            // Who has changed was forgotten. Everybody else stays known: the database may be away before it is asked again.
            match self.known.get(&hash) {
                Some(_) if principal.is_none() => self.known.invalidate(&hash),
                Some(entry) => entry.asked_at.store(OUTDATED, Ordering::Relaxed),
                None => {}
            }
            return;
        }
        self.known.insert(hash, Arc::new(Entry { principal, asked_at: AtomicU64::new(asked_at), changes }));
        // A change goes up in number before it forgets, so one that comes after this look finds the entry.
        if self.changes.load(Ordering::SeqCst) != changes {
            self.known.invalidate(&hash);
        }
    }

    /// Forgets the holders of keys that have changed, and that keys were unknown.
    pub fn forget(&self, changed: impl Fn(&ClientPrincipal) -> bool) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        for (hash, entry) in &self.known {
            if entry.principal.as_deref().is_some_and(&changed) {
                self.known.invalidate(&*hash);
            }
        }
    }

    /// Has the database asked again about every key.
    pub fn distrust(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        for (_, entry) in &self.known {
            entry.asked_at.store(OUTDATED, Ordering::Relaxed);
        }
    }

    /// How many valid keys are remembered. Walks over all entries.
    pub fn count(&self) -> u64 {
        self.known.iter().filter(|(_, entry)| entry.principal.is_some()).count() as u64
    }

    /// A key that was unknown may have become valid with any change.
    fn believes(&self, entry: &Entry) -> bool {
        entry.principal.is_some() || entry.changes == self.changes.load(Ordering::SeqCst)
    }

    /// Claims the renewal of an answer that is older than the time to live.
    fn claim_refresh(&self, entry: Arc<Entry>) -> Option<Claim> {
        let (now, before) = (self.now(), entry.asked_at.load(Ordering::Relaxed));
        let ttl = u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX);
        let claimed = (before == OUTDATED || now.saturating_sub(before) >= ttl)
            && entry.asked_at.compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        claimed.then_some(Claim { entry, before: Some(before) })
    }

    fn now(&self) -> u64 {
        // Never that of what is outdated.
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }
}

impl Claim {
    /// The database has been asked.
    pub fn used(mut self) {
        self.before = None;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            self.entry.asked_at.store(before, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::RoutingStrategy;

    const HASH: KeyHash = KeyHash([7; 32]);

    fn knowing(principal: Option<ClientPrincipal>) -> Holders {
        let holders = Holders::new(Duration::from_hours(1));
        holders.remember(HASH, principal.map(Arc::new), &holders.question());
        holders
    }

    fn somebody() -> ClientPrincipal {
        ClientPrincipal {
            user_id: Uuid::nil(),
            access_key_id: Uuid::nil(),
            key_prefix: "ak_".to_owned(),
            routing_strategy: RoutingStrategy::PlanFirst,
            monthly_budget_usd: None,
            bedrock_region: "us-east-1".to_owned(),
            bedrock_model: "m".to_owned(),
            family_models: Vec::new(),
            expires_at: None,
            bedrock_key: None,
        }
    }

    #[test]
    fn one_alone_renews_what_is_distrusted_and_gives_that_back_when_it_leaves_early() {
        let holders = knowing(Some(somebody()));
        let claim = || holders.recall(&HASH).unwrap().claim;
        assert!(claim().is_none(), "it is new");
        holders.distrust();
        let first = claim().unwrap();
        assert!(claim().is_none(), "somebody is asking");
        drop(first);
        claim().unwrap().used();
        assert!(claim().is_none(), "it was asked");
    }

    #[test]
    fn any_change_makes_an_unknown_key_worth_asking_for_and_overtakes_answers() {
        let holders = knowing(None);
        assert!(holders.recall(&HASH).unwrap().principal.is_none());
        let overtaken = holders.question();
        holders.forget(|_| false);
        assert!(holders.recall(&HASH).is_none());
        holders.remember(HASH, Some(Arc::new(somebody())), &overtaken);
        assert!(holders.recall(&HASH).is_none());
        holders.remember(HASH, None, &holders.question());
        assert!(holders.recall(&HASH).is_some());
    }

    #[test]
    fn an_answer_that_was_overtaken_does_not_make_a_known_key_unknown() {
        let holders = knowing(Some(somebody()));
        let overtaken = holders.question();
        holders.distrust();
        holders.remember(HASH, Some(Arc::new(somebody())), &overtaken);
        let known = holders.recall(&HASH).unwrap();
        assert!(known.principal.is_some() && known.claim.is_some(), "it is asked about again");
    }

    #[test]
    fn a_key_that_is_not_valid_any_more_is_forgotten_even_if_its_answer_was_overtaken() {
        let holders = knowing(Some(somebody()));
        let overtaken = holders.question();
        holders.distrust();
        holders.remember(HASH, None, &overtaken);
        assert!(holders.recall(&HASH).is_none());
    }

    #[test]
    fn only_those_that_changed_are_forgotten() {
        let holders = knowing(Some(somebody()));
        holders.forget(|holder| holder.bedrock_model == "another");
        assert_eq!((holders.recall(&HASH).is_some(), holders.count()), (true, 1));
        holders.forget(|holder| holder.bedrock_model == "m");
        assert_eq!((holders.recall(&HASH).is_none(), holders.count()), (true, 0));
    }
}
