//! The price book, as administrators see and add to it. No row is ever changed.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ChangeError;
use super::announce::{News, announce};
use super::audit::{self, Actor, Deed};
use super::idempotency::{Once, answered_before, keep};
use crate::domain::{Family, UnitPrices};
use crate::store::{Database, StoreError};

/// What a list of prices is sorted by, and where its next page begins.
pub type PriceKey = (String, DateTime<Utc>, i32);

/// Prices of a model from a day on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct PriceRow {
    /// Bedrock id without geography, or an ARN.
    pub model: String,
    /// The name of a [`Family`].
    pub family: String,
    /// When they begin.
    pub effective_from: DateTime<Utc>,
    /// The length of the prompt above which they hold.
    pub prompt_tokens_above: i32,
    /// USD for a million tokens of the prompt.
    pub input_price_usd: Decimal,
    /// The same of the answer.
    pub output_price_usd: Decimal,
    /// The same read from the cache.
    pub cache_read_price_usd: Decimal,
    /// The same written to the cache for 5 minutes.
    pub cache_write_5m_price_usd: Decimal,
    /// The same written to the cache for 1 hour.
    pub cache_write_1h_price_usd: Decimal,
    /// How many times as much all other profiles than global ones cost.
    pub geographic_multiplier: Decimal,
    /// Where they are known from.
    pub source: String,
    /// Whether they are those of today.
    pub in_effect: bool,
}

/// Prices to be added.
#[derive(Clone, Debug)]
pub struct NewPrice {
    /// Bedrock id without geography, or an ARN.
    pub model: String,
    /// What an unknown model is compared with.
    pub family: Family,
    /// When they begin; `None`: now.
    pub effective_from: Option<DateTime<Utc>>,
    /// The length of the prompt above which they hold.
    pub prompt_tokens_above: i32,
    /// USD for a million tokens.
    pub prices: UnitPrices,
    /// How many times as much all other profiles than global ones cost.
    pub geographic_multiplier: Decimal,
    /// Where they are known from.
    pub source: String,
}

impl Database {
    /// Prices by model and date, of one model or of all, those after a sort key only, and how many there are on all pages.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn price_rows(
        &self,
        model: Option<&str>,
        after: Option<PriceKey>,
        limit: i64,
    ) -> Result<(Vec<PriceRow>, i64), StoreError> {
        let (after_model, after_date, after_band) =
            after.map_or((None, None, None), |(model, date, band)| (Some(model), Some(date), Some(band)));
        let rows = sqlx::query_as!(
            PriceRow,
            r#"SELECT model, family, effective_from, prompt_tokens_above, input_price_usd, output_price_usd,
                      cache_read_price_usd, cache_write_5m_price_usd, cache_write_1h_price_usd, geographic_multiplier,
                      source,
                      effective_from = (SELECT max(o.effective_from) FROM model_prices o
                                         WHERE o.model = p.model AND o.prompt_tokens_above = p.prompt_tokens_above
                                           AND o.effective_from <= now()) IS TRUE AS "in_effect!"
                 FROM model_prices p
                WHERE ($1::text IS NULL OR model = $1)
                  AND ($2::text IS NULL OR (model, effective_from, prompt_tokens_above) > ($2, $3, $4))
                ORDER BY model, effective_from, prompt_tokens_above
                LIMIT $5"#,
            model,
            after_model,
            after_date,
            after_band,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        let total = sqlx::query_scalar!(
            r#"SELECT count(*) AS "total!" FROM model_prices WHERE $1::text IS NULL OR model = $1"#,
            model
        )
        .fetch_one(&self.pool)
        .await?;
        Ok((rows, total))
    }

    /// Adds prices, unless the same request has done so before. In the past only the first ones of a model and band may begin: of a time in which there was a price
    /// already, the book would otherwise say what nobody was billed.
    ///
    /// # Errors
    /// When there are prices with this model, date and band (`model_prices_pkey`), when they would begin in the past
    /// (`price_in_past`), or when the database fails.
    pub async fn create_price(
        &self,
        actor: &Actor,
        new: &NewPrice,
        once: Option<&Once>,
    ) -> Result<PriceRow, ChangeError> {
        let mut transaction = self.begin().await?;
        if let Some(before) = answered_before(&mut transaction, once).await? {
            return Ok(before.into_row());
        }
        // Two at a time would not see each other, and both be the first. Readers pass.
        sqlx::query!("LOCK TABLE model_prices IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await?;
        let row = sqlx::query_as!(
            PriceRow,
            r#"INSERT INTO model_prices (
                   model, family, effective_from, prompt_tokens_above, input_price_usd, output_price_usd,
                   cache_read_price_usd, cache_write_5m_price_usd, cache_write_1h_price_usd, geographic_multiplier, source)
               VALUES ($1, $2, coalesce($3, now()), $4, $5, $6, $7, $8, $9, $10, $11)
               RETURNING model, family, effective_from, prompt_tokens_above, input_price_usd, output_price_usd,
                         cache_read_price_usd, cache_write_5m_price_usd, cache_write_1h_price_usd, geographic_multiplier,
                         source, effective_from <= now() AS "in_effect!""#,
            new.model,
            new.family.name(),
            new.effective_from,
            new.prompt_tokens_above,
            new.prices.input,
            new.prices.output,
            new.prices.cache_read,
            new.prices.cache_write_5m,
            new.prices.cache_write_1h,
            new.geographic_multiplier,
            new.source
        )
        .fetch_one(&mut *transaction)
        .await?;
        let changes_the_past = sqlx::query_scalar!(
            r#"SELECT $3 < now() AND EXISTS (
                   SELECT FROM model_prices WHERE model = $1 AND prompt_tokens_above = $2 AND effective_from <> $3
               ) AS "it_does!""#,
            row.model,
            row.prompt_tokens_above,
            row.effective_from
        )
        .fetch_one(&mut *transaction)
        .await?;
        if changes_the_past {
            return Err(ChangeError::Constraint("price_in_past".to_owned()));
        }
        let after = serde_json::to_value(&row).ok();
        let deed = Deed { action: "price.create", object_type: "price", object_id: &row.model, before: None, after };
        audit::write(&mut transaction, actor, deed).await?;
        announce(&mut transaction, &News::Prices).await?;
        keep(&mut transaction, once, &row).await?;
        transaction.commit().await?;
        Ok(row)
    }
}
