//! The price book: what models cost, since when, and for prompts of which length.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::param::{Header, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use rust_decimal::Decimal;

use super::SharedAdmin;
use super::caller::Caller;
use super::families::Family;
use super::idempotency::once;
use super::list::{self, DEFAULT_LIMIT, Page};
use super::money::{Usd, usd};
use super::problem::Problem;
use super::service::Tag;
use super::sorts::{Changing, Listing, Refused};
use crate::domain::{self, UnitPrices};
use crate::store::{NewPrice, News, PriceKey, PriceRow};

/// How much more all other profiles than global ones cost, unless something else is said.
const GEOGRAPHIC: Decimal = Decimal::from_parts(110, 0, 0, false, 2);

/// Prices of a model, in US dollars for a million tokens.
#[derive(Object, Clone, Debug)]
pub struct Price {
    /// Bedrock id without geography, or the ARN of an application inference profile.
    model: String,
    /// What an unknown model is compared with.
    family: Family,
    /// When they began, or begin.
    effective_from: DateTime<Utc>,
    /// The number of tokens of the whole prompt above which they hold; 0: from the first one on.
    prompt_tokens_above: u32,
    /// Prompt tokens outside the cache.
    input_price_usd: Usd,
    /// Tokens of the answer.
    output_price_usd: Usd,
    /// Prompt tokens read from the cache.
    cache_read_price_usd: Usd,
    /// Prompt tokens written to the cache for 5 minutes.
    cache_write_5m_price_usd: Usd,
    /// Prompt tokens written to the cache for 1 hour.
    cache_write_1h_price_usd: Usd,
    /// How many times as much all other profiles than global ones cost.
    geographic_multiplier: String,
    /// Where they are known from.
    source: String,
    /// Whether they are those of now: the newest of this model and length that have begun.
    in_effect: bool,
}

/// Prices to be added, in US dollars for a million tokens.
#[derive(Object, Debug)]
#[oai(deny_unknown_fields)]
pub(super) struct CreatePrice {
    /// Bedrock id without geography, such as `anthropic.claude-opus-6`, or the ARN of an application inference profile.
    #[oai(validator(min_length = 1, max_length = 256, pattern = r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$"))]
    model: String,
    /// What an unknown model is compared with; that of the model's name unless given.
    family: Option<Family>,
    /// When they begin: in the years 2000 to 2999, now unless given. In the past only the first prices of a model and length
    /// can begin.
    effective_from: Option<DateTime<Utc>>,
    /// The number of tokens of the whole prompt above which they hold; 0, from the first one on, unless given.
    #[oai(validator(maximum(value = "2147483647")))]
    prompt_tokens_above: Option<u32>,
    /// Prompt tokens outside the cache.
    #[oai(validator(pattern = r"^[0-9]{1,4}(\.[0-9]{1,6})?$"))]
    input_price_usd: String,
    /// Tokens of the answer.
    #[oai(validator(pattern = r"^[0-9]{1,4}(\.[0-9]{1,6})?$"))]
    output_price_usd: String,
    /// Prompt tokens read from the cache.
    #[oai(validator(pattern = r"^[0-9]{1,4}(\.[0-9]{1,6})?$"))]
    cache_read_price_usd: String,
    /// Prompt tokens written to the cache for 5 minutes.
    #[oai(validator(pattern = r"^[0-9]{1,4}(\.[0-9]{1,6})?$"))]
    cache_write_5m_price_usd: String,
    /// Prompt tokens written to the cache for 1 hour.
    #[oai(validator(pattern = r"^[0-9]{1,4}(\.[0-9]{1,6})?$"))]
    cache_write_1h_price_usd: String,
    /// How many times as much all other profiles than global ones cost; 1.10 unless given.
    #[oai(validator(pattern = r"^[1-9](\.[0-9]{1,4})?$"))]
    geographic_multiplier: Option<String>,
    /// Where they are known from, and as of when.
    #[oai(validator(min_length = 1, max_length = 1000))]
    source: String,
}

/// The prices are there.
#[derive(ApiResponse)]
pub enum PriceCreated {
    /// The prices as they were added.
    #[oai(status = 201)]
    Created(Json<Price>),
}

/// Operations on prices.
pub struct PricesPart;

#[OpenApi(prefix_path = "/admin/prices", tag = "Tag::Models")]
impl PricesPart {
    /// List prices
    ///
    /// Of all dates, by model, date and length of the prompt.
    #[oai(path = "/", method = "get", operation_id = "list_prices")]
    async fn list(
        &self,
        admin: Data<&SharedAdmin>,
        _caller: Caller,
        /// Those of this model only: its Bedrock id without geography, or the ARN.
        #[oai(validator(max_length = 256))]
        model: Query<Option<String>>,
        /// `next` of the page before.
        #[oai(validator(max_length = 1024))]
        cursor: Query<Option<String>>,
        /// Prices on a page, 50 unless given.
        #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<Option<u32>>,
    ) -> Result<Json<Page<Price>>, Refused<Listing>> {
        let limit = limit.0.unwrap_or(DEFAULT_LIMIT);
        let after: Option<PriceKey> = list::cursor(cursor.0.as_deref())?;
        let (rows, total) = admin.database.price_rows(model.0.as_deref(), after, i64::from(limit) + 1).await?;
        let key = |row: &PriceRow| (row.model.clone(), row.effective_from, row.prompt_tokens_above);
        Ok(Json(list::page(rows, limit, total, key, Price::from)))
    }

    /// Add prices
    ///
    /// Prices never change: new ones begin later. Requests that have been served keep the prices that were taken.
    #[oai(path = "/", method = "post", operation_id = "create_price")]
    async fn create(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// Has the request do nothing when it comes again within 24 hours; the answer is the same.
        #[oai(name = "Idempotency-Key", validator(min_length = 1, max_length = 255, pattern = "^[ -~]+$"))]
        idempotency_key: Header<Option<String>>,
        price: Json<CreatePrice>,
    ) -> Result<PriceCreated, Refused<Changing>> {
        let once = once(&admin, idempotency_key.0, "create_price", None, &price.0);
        let new = price.0.checked()?;
        let row = admin.database.create_price(caller.actor(), &new, once.as_ref()).await?;
        admin.changes.apply(&News::Prices).await;
        Ok(PriceCreated::Created(Json(row.into())))
    }
}

impl CreatePrice {
    fn checked(self) -> Result<NewPrice, Problem> {
        const GEOGRAPHIES: [&str; 8] = ["global.", "us.", "us-gov.", "eu.", "apac.", "jp.", "au.", "in."];
        if let Some(geography) = GEOGRAPHIES.into_iter().find(|geography| self.model.starts_with(geography)) {
            let told = format!("prices are those of the id without geography; leave {geography} out");
            return Err(Problem::field("model", told));
        }
        if let Some(date) = self.effective_from {
            let year = chrono::Datelike::year(&date);
            if !(2000..3000).contains(&year) {
                return Err(Problem::field("effective_from", format!("the year {year} is not between 2000 and 2999")));
            }
        }
        let family = self.family.map_or_else(|| domain::Family::of(&self.model), domain::Family::from);
        let multiplier = self.geographic_multiplier.map(|text| usd("geographic_multiplier", &text)).transpose()?;
        Ok(NewPrice {
            family,
            effective_from: self.effective_from,
            prompt_tokens_above: i32::try_from(self.prompt_tokens_above.unwrap_or(0)).unwrap_or(i32::MAX),
            prices: UnitPrices {
                input: usd("input_price_usd", &self.input_price_usd)?,
                output: usd("output_price_usd", &self.output_price_usd)?,
                cache_read: usd("cache_read_price_usd", &self.cache_read_price_usd)?,
                cache_write_5m: usd("cache_write_5m_price_usd", &self.cache_write_5m_price_usd)?,
                cache_write_1h: usd("cache_write_1h_price_usd", &self.cache_write_1h_price_usd)?,
            },
            geographic_multiplier: multiplier.unwrap_or(GEOGRAPHIC),
            model: self.model,
            source: self.source,
        })
    }
}

impl From<PriceRow> for Price {
    fn from(row: PriceRow) -> Self {
        Self {
            model: row.model,
            family: domain::Family::parse(&row.family).into(),
            effective_from: row.effective_from,
            prompt_tokens_above: row.prompt_tokens_above.unsigned_abs(),
            input_price_usd: Usd(row.input_price_usd),
            output_price_usd: Usd(row.output_price_usd),
            cache_read_price_usd: Usd(row.cache_read_price_usd),
            cache_write_5m_price_usd: Usd(row.cache_write_5m_price_usd),
            cache_write_1h_price_usd: Usd(row.cache_write_1h_price_usd),
            geographic_multiplier: row.geographic_multiplier.normalize().to_string(),
            source: row.source,
            in_effect: row.in_effect,
        }
    }
}
