//! What models cost, since when and for prompts of which length; prices what a request consumed.

use std::cmp::Ordering;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{Cost, Family, ModelMap, TokenUsage, UnitPrices};

/// What Bedrock's ids of profiles at the list price begin with.
const GLOBAL: &str = "global.";
/// What the plan's name of a model is prefixed with to be that of a global profile, if Bedrock calls it the same.
const GLOBAL_CLAUDE: &str = "global.anthropic.";

/// Prices of a model, from a day on, for prompts longer than a number of tokens.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct ModelPrice {
    /// Bedrock id without geography, or the ARN of an application inference profile.
    pub model: String,
    /// What an unknown model is compared with.
    pub family: Family,
    /// When the prices began.
    pub effective_from: DateTime<Utc>,
    /// The length of the prompt above which they hold; 0: from the first token on.
    pub prompt_tokens_above: u32,
    /// The list prices, which are those of global profiles.
    #[serde(flatten)]
    pub list: UnitPrices,
    /// How many times as much all other profiles cost.
    pub geographic_multiplier: Decimal,
    /// Where the prices are known from.
    pub source: String,
}

/// All prices that are known: one at the least.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PriceBook {
    /// Those of one model stand together.
    prices: Vec<ModelPrice>,
}

impl PriceBook {
    /// A book of these prices; `None` without any.
    pub fn of(mut prices: Vec<ModelPrice>) -> Option<Self> {
        let place = |price: &ModelPrice| (price.effective_from, price.prompt_tokens_above);
        prices.sort_by(|a, b| a.model.cmp(&b.model).then_with(|| place(a).cmp(&place(b))));
        (!prices.is_empty()).then_some(Self { prices })
    }

    /// The book that comes with this version: the rows with which the migration begins the table.
    pub fn built_in() -> &'static Self {
        #[expect(clippy::expect_used, reason = "a test reads the same constant")]
        static BOOK: LazyLock<PriceBook> = LazyLock::new(|| {
            let prices = serde_json::from_str(include_str!("first_prices.json")).expect("good prices");
            PriceBook::of(prices).expect("some prices")
        });
        &BOOK
    }

    /// What a request of that time cost with that Bedrock id, profile or ARN. What is not in the book costs what the
    /// dearest model of its family does, else the dearest of all: never nothing.
    pub fn cost(&self, model: &str, time: DateTime<Utc>, tokens: &TokenUsage) -> Cost {
        self.cost_by(self.find(model), model, time, tokens)
    }

    /// What a message of the plan is worth at the list price. The plan has its own names for models: the price is that of
    /// the model of Bedrock with the same name, else of the one that stands for it in `map`, in whatever geography.
    pub fn list_cost(&self, name: &str, map: &ModelMap, time: DateTime<Utc>, tokens: &TokenUsage) -> Cost {
        let global = format!("{GLOBAL_CLAUDE}{name}");
        let mapped = || self.in_any_geography(id(&map.find(name)?.bedrock_model));
        let rows = self.rows(&global[GLOBAL.len()..]).or_else(mapped);
        self.cost_by(rows.map(|rows| (rows, true)), &global, time, tokens)
    }

    fn cost_by(
        &self,
        found: Option<(&[ModelPrice], bool)>,
        model: &str,
        time: DateTime<Utc>,
        tokens: &TokenUsage,
    ) -> Cost {
        let prompt = tokens.prompt();
        let known = found.and_then(|(rows, at_list)| Some(in_effect(rows, time, prompt)?.unit(at_list)));
        let prices = known.unwrap_or_else(|| self.dearest(model, time, prompt));
        Cost { usd: prices.cost_of(tokens), prices, priced: known.is_some() }
    }

    /// The rows of a model, and whether it is asked for at the list price. An ARN names what stands behind its last
    /// slash; that of an application profile names nothing, unless it has rows of its own, which then say it all.
    fn find(&self, model: &str) -> Option<(&[ModelPrice], bool)> {
        let id = id(model);
        if id != model
            && let Some(own) = self.rows(model)
        {
            return Some((own, true));
        }
        match id.strip_prefix(GLOBAL) {
            Some(base) => Some((self.rows(base)?, true)),
            // A bare id is served in its region, which costs what a geography does.
            None => Some((self.in_any_geography(id)?, false)),
        }
    }

    fn in_any_geography(&self, id: &str) -> Option<&[ModelPrice]> {
        self.rows(id).or_else(|| self.rows(id.split_once('.')?.1))
    }

    fn rows(&self, model: &str) -> Option<&[ModelPrice]> {
        self.models().find(|rows| rows[0].model == model)
    }

    fn models(&self) -> impl Iterator<Item = &[ModelPrice]> {
        self.prices.chunk_by(|a, b| a.model == b.model)
    }

    /// The dearest prices by output. At a time before all prices those to come count.
    fn dearest(&self, model: &str, time: DateTime<Utc>, prompt: u64) -> UnitPrices {
        let at_list = id(model).starts_with(GLOBAL);
        let family = Family::of(id(model));
        let dearest = |rows: &mut dyn Iterator<Item = &ModelPrice>| rows.map(|row| row.unit(at_list)).max_by(dearer);
        let current = || self.models().filter_map(|rows| in_effect(rows, time, prompt));
        let found = dearest(&mut current().filter(|row| row.family == family))
            .or_else(|| dearest(&mut current()))
            .or_else(|| dearest(&mut self.prices.iter()));
        #[expect(clippy::expect_used, reason = "`of` makes no empty book")]
        found.expect("a price")
    }
}

impl ModelPrice {
    fn unit(&self, at_list: bool) -> UnitPrices {
        self.list.times(if at_list { Decimal::ONE } else { self.geographic_multiplier })
    }
}

/// Of the rows of one model that of the highest band below the prompt; in the band the newest that has begun.
fn in_effect(rows: &[ModelPrice], time: DateTime<Utc>, prompt: u64) -> Option<&ModelPrice> {
    let reached = |above: u32| above == 0 || prompt > u64::from(above);
    rows.iter()
        .filter(|row| row.effective_from <= time && reached(row.prompt_tokens_above))
        .max_by_key(|row| (row.prompt_tokens_above, row.effective_from))
}

/// The id of a model, out of an ARN where it stands in one.
fn id(model: &str) -> &str {
    model.rsplit('/').next().unwrap_or(model)
}

/// By output; the other prices decide between equals, so that the order of rows does not.
fn dearer(a: &UnitPrices, b: &UnitPrices) -> Ordering {
    let key = |p: &UnitPrices| [p.output, p.input, p.cache_write_1h, p.cache_write_5m, p.cache_read];
    key(a).cmp(&key(b))
}

#[cfg(test)]
mod tests;
