//! What users with a budget have spent this month, as far as is known: what the database has, and what it has not yet.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::domain::budget::{SpentBudget, Standing, WARN_FROM, percent};
use crate::domain::{Provider, UsageRecord};
use crate::store::{Month, Spend};

/// Users without a request for so long are forgotten until they come back, but for those who have spent it all: their
/// next request would pass, as everybody's does who is new.
const REMEMBERED: Duration = Duration::from_mins(10);
/// Users that are followed at the most, at some 200 bytes each; requests of others are let through.
const MAX_USERS: usize = 50_000;
/// Records that wait for the database at the most; those beyond count when the database has them.
const MAX_PENDING: usize = 20_000;

/// One part in so many of what is left may be spent before the database is asked again, whose sums others add to.
const BLIND_SHARE: Decimal = Decimal::TEN;

/// A user's way past a mark, for the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Passed {
    pub user_id: Uuid,
    pub percent: u32,
    pub spent: Decimal,
    pub limit: Decimal,
}

#[derive(Default, Debug)]
pub(super) struct Ledger {
    month: Option<Month>,
    users: HashMap<Uuid, Account>,
    /// Records of this process that the totals do not have yet.
    pending: HashMap<Uuid, Pending>,
    /// The highest mark (80, 100) that was told of each user this month; longer-lived than the accounts.
    told: HashMap<Uuid, u32>,
}

#[derive(Debug)]
struct Account {
    limit: Decimal,
    seen: Instant,
    /// Of the month, by the database; 0 before it was asked.
    stored: Decimal,
    /// The sum of the user's pending records of the month.
    pending: Decimal,
    /// What was recorded here since the database was asked last.
    blind: Decimal,
}

impl Account {
    fn new(limit: Decimal, seen: Instant) -> Self {
        Self { limit, seen, stored: Decimal::ZERO, pending: Decimal::ZERO, blind: Decimal::ZERO }
    }

    /// Whether so much was spent since the last look that others, who spend as well, have to be heard before more is.
    fn wants_a_look(&self) -> bool {
        let left = self.limit - self.stored - self.pending + self.blind;
        self.blind >= left / BLIND_SHARE
    }
}

#[derive(Debug)]
struct Pending {
    user_id: Uuid,
    timestamp: DateTime<Utc>,
    usd: Decimal,
    /// Whether the database was asked about it.
    asked: bool,
}

impl Ledger {
    /// How a user stands, and whether this is the first that is seen of the user. What is not known counts as nothing.
    pub(super) fn check(
        &mut self,
        user_id: Uuid,
        limit: Decimal,
        now: DateTime<Utc>,
        seen: Instant,
    ) -> (Standing, bool) {
        self.turn_over(now);
        let is_new = !self.users.contains_key(&user_id);
        if is_new && self.users.len() >= MAX_USERS {
            return (Standing::Open, false);
        }
        let account = self.users.entry(user_id).or_insert(Account::new(limit, seen));
        (account.limit, account.seen) = (limit, seen);
        let spent = account.stored + account.pending;
        let standing = match &self.month {
            Some(Month { end, reset, zone, .. }) if spent >= limit => {
                Standing::Spent(SpentBudget { spent, limit, end: *end, reset: *reset, zone: zone.clone() })
            }
            _ => match percent(spent, limit) {
                percent @ WARN_FROM.. => Standing::Near(percent),
                _ => Standing::Open,
            },
        };
        (standing, is_new)
    }

    /// Adds what a request of a followed user has cost at Bedrock, and says whether the database is to be asked now.
    pub(super) fn record(&mut self, record: &UsageRecord, now: DateTime<Utc>) -> bool {
        self.turn_over(now);
        let (Some(cost), Provider::Bedrock) = (record.cost, record.provider) else { return false };
        let is_old = self.month.as_ref().is_some_and(|month| record.timestamp < month.start);
        if let Some(account) = self.users.get_mut(&record.user_id).filter(|_| !is_old)
            && self.pending.len() < MAX_PENDING
        {
            account.pending += cost.usd;
            let pending = Pending { user_id: record.user_id, timestamp: record.timestamp, usd: cost.usd, asked: false };
            self.pending.insert(record.request_id, pending);
            account.blind += cost.usd;
            return account.wants_a_look();
        }
        false
    }

    /// Whether a mark was passed that has not been told of this month.
    pub(super) fn passes(&mut self, user_id: Uuid) -> Option<Passed> {
        let account = self.users.get(&user_id)?;
        let (spent, limit) = (account.stored + account.pending, account.limit);
        let percent = percent(spent, limit);
        let mark = [100, WARN_FROM].into_iter().find(|mark| percent >= *mark)?;
        let is_news = match self.told.get(&user_id) {
            Some(told) => *told < mark,
            None => self.told.len() < MAX_USERS,
        };
        is_news.then(|| {
            self.told.insert(user_id, mark);
            Passed { user_id, percent, spent, limit }
        })
    }

    /// Of which users and of which records the database is to be asked; `None` when there is nothing to ask.
    pub(super) fn question(&mut self, now: DateTime<Utc>, instant: Instant) -> Option<(Vec<Uuid>, Vec<Uuid>)> {
        self.turn_over(now);
        let waiting: HashSet<Uuid> = self.pending.values().map(|pending| pending.user_id).collect();
        self.users.retain(|user_id, account| {
            instant.saturating_duration_since(account.seen) < REMEMBERED
                || waiting.contains(user_id)
                || account.stored >= account.limit
        });
        let knows_month = self.month.as_ref().is_some_and(|month| now < month.end);
        if knows_month && self.users.is_empty() {
            return None;
        }
        self.pending.values_mut().for_each(|pending| pending.asked = true);
        Some((self.users.keys().copied().collect(), self.pending.keys().copied().collect()))
    }

    /// Takes in the answer about `asked` users, and says whether to ask again soon: what was recorded since the question may
    /// be in the sums already, and would count twice until then.
    pub(super) fn answered(&mut self, asked: &[Uuid], spend: Spend) -> bool {
        if self.month.as_ref().is_some_and(|month| month.start > spend.month.start && month.zone == spend.month.zone) {
            // Asked before the month ended.
            return true;
        }
        if self.month.as_ref().is_some_and(|month| *month != spend.month) {
            self.told.clear();
        }
        let start = spend.month.start;
        self.pending.retain(|id, pending| pending.timestamp >= start && !spend.stored.contains(id));
        self.month = Some(spend.month);
        let totals: HashMap<Uuid, Decimal> = spend.totals.into_iter().collect();
        for user_id in asked {
            if let Some(account) = self.users.get_mut(user_id) {
                account.stored = totals.get(user_id).copied().unwrap_or_default();
                account.blind = Decimal::ZERO;
            }
        }
        self.sum_pending();
        self.pending.values().any(|pending| !pending.asked)
    }

    /// When the month is over, everybody begins at nothing, until the database says which month it is now.
    fn turn_over(&mut self, now: DateTime<Utc>) {
        let Some(month) = self.month.take_if(|month| now >= month.end) else { return };
        self.told.clear();
        self.pending.retain(|_, pending| pending.timestamp >= month.end);
        self.users.values_mut().for_each(|account| (account.stored, account.blind) = Default::default());
        self.sum_pending();
    }

    fn sum_pending(&mut self) {
        self.users.values_mut().for_each(|account| account.pending = Decimal::ZERO);
        for pending in self.pending.values() {
            if let Some(account) = self.users.get_mut(&pending.user_id) {
                account.pending += pending.usd;
            }
        }
    }
}

#[cfg(test)]
mod tests;
