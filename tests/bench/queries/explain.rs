//! Asks PostgreSQL to answer a prepared query and to say how it did.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use claude_code_proxy::store::REPORT_TIMEOUT;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use super::cache::{Statement, TABLES};
use super::catalogue::Question;
use super::plan::Plan;
use super::{REPEATED, REPEATED_FOR};

/// For whom a prepared query is planned.
#[derive(Clone, Copy, Debug)]
pub(super) enum Planning {
    /// For the parameters that it is called with, as the first times.
    ForParameters,
    /// Once, for all, as it may be later.
    ForAny,
    /// With the settings of a report.
    AsReport,
}

/// A connection to the filled database.
#[derive(Debug)]
pub(super) struct Asked {
    connection: PgConnection,
    indexes: Vec<String>,
    /// What a report begins with.
    settings: String,
}

impl Asked {
    /// Connects; a report begins with `settings`.
    pub(super) async fn open(url: &str, settings: &Statement) -> Result<Self> {
        let mut connection = PgConnection::connect(url).await.context("cannot reach the filled database")?;
        let tables: Vec<String> = TABLES.map(str::to_owned).to_vec();
        let names =
            sqlx::query_scalar("SELECT indexname::text FROM pg_indexes WHERE tablename = ANY ($1)").bind(tables);
        let indexes = names.fetch_all(&mut connection).await?;
        Ok(Self { connection, indexes, settings: settings.sql.clone() })
    }

    /// Answers a question again and again; the first time, which finds nothing in memory, is left out.
    pub(super) async fn measure(
        &mut self,
        question: &Question,
        statement: &Statement,
        planning: Planning,
    ) -> Result<Vec<Plan>> {
        ensure!(
            statement.parameters == question.parameters.len(),
            "{} takes {} parameters, and not {}",
            question.name,
            statement.parameters,
            question.parameters.len()
        );
        let mut arguments = Vec::new();
        for parameter in &question.parameters {
            let literal = format!("SELECT quote_nullable(({parameter})::text)");
            let literal: String = sqlx::query_scalar(AssertSqlSafe(literal)).fetch_one(&mut self.connection).await?;
            arguments.push(literal);
        }
        let mode = match planning {
            Planning::ForParameters => "force_custom_plan",
            Planning::ForAny => "force_generic_plan",
            Planning::AsReport => "auto",
        };
        self.run(format!("SET plan_cache_mode = {mode}")).await?;
        self.run(format!("PREPARE question AS {}", statement.sql)).await?;
        let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE question({})", arguments.join(", "));
        let mut plans = Vec::new();
        let started = Instant::now();
        while plans.len() <= REPEATED && (plans.len() < 2 || started.elapsed() < REPEATED_FOR) {
            plans.push(
                self.explain(&explain, planning).await.with_context(|| format!("cannot ask: {}", question.name))?,
            );
        }
        self.run("DEALLOCATE question".to_owned()).await?;
        Ok(plans.split_off(1))
    }

    /// Ends the connection.
    pub(super) async fn close(self) -> Result<()> {
        Ok(self.connection.close().await?)
    }

    async fn explain(&mut self, explain: &str, planning: Planning) -> Result<Plan> {
        let mut transaction = self.connection.begin().await?;
        if let Planning::AsReport = planning {
            let limit = REPORT_TIMEOUT.as_millis().to_string();
            sqlx::query(AssertSqlSafe(self.settings.as_str())).bind(limit).execute(&mut *transaction).await?;
        }
        let row = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_one(&mut *transaction).await?;
        transaction.rollback().await?;
        Plan::read(&row.try_get_unchecked::<String, _>(0)?, &self.indexes)
    }

    async fn run(&mut self, statement: String) -> Result<()> {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut self.connection).await?;
        Ok(())
    }
}
