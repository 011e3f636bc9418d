//! Reads the prices of models.

use std::time::Duration;

use super::{Database, StoreError};
use crate::domain::{Family, ModelPrice, UnitPrices};

const TIMEOUT: Duration = Duration::from_secs(3);

impl Database {
    /// All prices, of the past too; ten thousand at the most, the newest.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn prices(&self) -> Result<Vec<ModelPrice>, StoreError> {
        let query = sqlx::query!(
            "SELECT model, family, effective_from, prompt_tokens_above, input_price_usd, output_price_usd,
                    cache_read_price_usd, cache_write_5m_price_usd, cache_write_1h_price_usd, geographic_multiplier, source
               FROM model_prices
              ORDER BY effective_from DESC, model, prompt_tokens_above
              LIMIT 10000"
        )
        .fetch_all(&self.pool);
        let rows = tokio::time::timeout(TIMEOUT, query).await.map_err(|_| StoreError::Timeout(TIMEOUT))??;
        let price = rows.into_iter().map(|row| ModelPrice {
            model: row.model,
            family: Family::parse(&row.family),
            effective_from: row.effective_from,
            prompt_tokens_above: row.prompt_tokens_above.unsigned_abs(),
            list: UnitPrices {
                input: row.input_price_usd,
                output: row.output_price_usd,
                cache_read: row.cache_read_price_usd,
                cache_write_5m: row.cache_write_5m_price_usd,
                cache_write_1h: row.cache_write_1h_price_usd,
            },
            geographic_multiplier: row.geographic_multiplier,
            source: row.source,
        });
        Ok(price.collect())
    }
}
