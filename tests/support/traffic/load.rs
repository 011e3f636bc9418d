//! The developers: so many requests at a time, of which some are left before their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::ask::ask;
use super::{Arrivals, Case, Dice, Fate, Leaves, Life};

/// An answer that takes longer than this hangs.
const LONGEST: Duration = Duration::from_secs(45);

/// How a request ended for its client.
#[derive(Debug)]
pub enum Ending {
    /// With the whole answer.
    Whole,
    /// The client left when it had so many characters of the answer.
    Left(u64),
    /// The provider failed in the middle of its answer, and the client was told so.
    Failed,
    /// It was answered, or not, as it has to be, and is nothing for a bill.
    Free,
    /// The connection broke.
    Broke(String),
    /// In another way, which is never right.
    Wrong(String),
}

/// What the proxy says of itself in the head of an answer.
#[derive(Debug)]
pub struct Head {
    /// `x-ccp-request-id`
    pub id: String,
    /// `x-ccp-provider`
    pub provider: String,
    /// `x-ccp-fallback`
    pub fallback: String,
}

impl Head {
    pub(super) fn of(headers: &http::HeaderMap) -> Self {
        let header = |name| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        Self { id: header("x-ccp-request-id"), provider: header("x-ccp-provider"), fallback: header("x-ccp-fallback") }
    }
}

/// A request, as its client saw it.
#[derive(Debug)]
pub struct Visit {
    /// The number of its case; there are too many to keep them all.
    pub number: u64,
    /// What became of who was asked.
    pub fate: Arc<Fate>,
    /// Once the head of the answer has come.
    pub head: Option<Head>,
    /// How it ended.
    pub ending: Ending,
    /// When.
    pub ended_at: Instant,
}

/// So many developers, and what they decide by.
#[derive(Clone, Debug)]
pub struct Load {
    /// Of all decisions.
    pub seed: u64,
    /// Requests at a time.
    pub developers: u64,
    /// The longest time, in milliseconds, for which a developer thinks before the next request.
    pub thinks: usize,
    /// Who leaves when Bedrock has the request is told by it.
    pub arrivals: Arrivals,
    /// Requests that have ended.
    pub ended: Arc<AtomicU64>,
}

impl Load {
    /// Asks one of those that there are until `end`, and reads the last answers to their end.
    pub async fn until<F>(&self, end: Instant, any: F) -> Vec<Visit>
    where
        F: Fn(&mut Dice) -> Arc<Life> + Clone + Send + 'static,
    {
        let next = Arc::new(AtomicU64::new(0));
        let mut developers = JoinSet::new();
        for developer in 0..self.developers {
            let (next, any, load) = (Arc::clone(&next), any.clone(), self.clone());
            developers.spawn(async move {
                let mut dice = Dice::of(load.seed, (1 << 41) + developer);
                let mut visits = Vec::new();
                while Instant::now() < end {
                    let case = Case::of(load.seed, next.fetch_add(1, Ordering::Relaxed));
                    visits.push(visit(&case, &any(&mut dice), &load.arrivals).await);
                    load.ended.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(dice.milliseconds(0, load.thinks + 1)).await;
                }
                visits
            });
        }
        developers.join_all().await.into_iter().flatten().collect()
    }
}

async fn visit(case: &Case, life: &Life, arrivals: &Arrivals) -> Visit {
    let leaves_early = case.leaves == Leaves::BeforeTheAnswer;
    let arrived = leaves_early.then(|| arrivals.of(case));
    let mut head = None;
    let ending = {
        let asking = tokio::time::timeout(LONGEST, ask(case, life, &mut head));
        let arrived = async {
            match arrived {
                Some(arrived) => arrived.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            answered = asking => answered.unwrap_or_else(|_| Ending::Wrong(format!("no end after {LONGEST:?}"))),
            Ok(()) = arrived => Ending::Left(0),
        }
    };
    Visit { number: case.number, fate: Arc::clone(&life.fate), head, ending, ended_at: Instant::now() }
}
