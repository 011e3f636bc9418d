//! The price book, kept current in the background, so that pricing a request never waits for the database.

use std::time::Duration;

use moka::sync::Cache;

use crate::domain::{Cost, Family, ModelMap, PriceBook, Provider, UsageRecord};
use crate::store::{Database, FollowTask, Followed, Look};
use crate::telemetry::counters;

/// How often the database is asked for the prices.
pub const LOOK_EVERY: Duration = Duration::from_mins(1);
/// Models without a price that are told of in a day at the most; clients can make up names.
const MODELS: u64 = 1000;
/// After this time each is told of again.
const TOLD_AGAIN: Duration = Duration::from_hours(24);

/// The book as it was last read, and the one that is built in before that; cheap to clone.
#[derive(Clone, Debug)]
pub struct Prices {
    book: Followed<PriceBook>,
    models: Followed<ModelMap>,
    told: Cache<String, ()>,
}

impl Prices {
    /// Starts to look. `models`: which model of Bedrock has the price of a model of the plan; `every`: how often, while the
    /// database answers.
    pub fn start(database: Database, models: Followed<ModelMap>, every: Duration) -> (Self, FollowTask) {
        let read = move || {
            let database = database.clone();
            async move { database.prices().await }
        };
        let mut told_empty = false;
        let make = move |rows| {
            let book = PriceBook::of(rows);
            if book.is_none() && !told_empty {
                tracing::error!("the table model_prices is empty; the prices stay as they were");
            }
            told_empty = book.is_none();
            book
        };
        let (book, task) = Followed::start("the price book", PriceBook::built_in().clone(), every, read, make);
        (Self { book, models, told: Cache::builder().max_capacity(MODELS).time_to_live(TOLD_AGAIN).build() }, task)
    }

    /// Has the book read now, because it has changed.
    pub fn look_now(&self) -> Look {
        self.book.look_now()
    }

    /// Waits for the end of the first look, however it went: a few seconds at the most. The first requests after a start
    /// would otherwise have the built-in prices.
    pub async fn first_look(&self) {
        self.book.first_look().await;
    }

    /// What a request cost, at the prices of the time of its arrival; of the plan, what it is worth at the list price. That it had no price of its own is counted, and
    /// told once for each model.
    pub fn cost(&self, record: &UsageRecord) -> Cost {
        let model = &record.upstream_model;
        let (book, time, tokens) = (self.book.current(), record.timestamp, &record.tokens);
        let cost = match record.provider {
            Provider::Bedrock => book.cost(model, time, tokens),
            Provider::Plan => book.list_cost(model, &self.models.current(), time, tokens),
        };
        if !cost.priced {
            let family = Family::of(model).name();
            counters::price_missing(family);
            // Full of what clients made up, it stays silent until some of that is forgotten.
            if self.told.entry_count() < MODELS && self.told.entry_by_ref(model).or_insert(()).is_fresh() {
                tracing::warn!(
                    model,
                    family,
                    "no price is known; the dearest known one is taken: add rows to model_prices"
                );
            }
        }
        cost
    }
}
