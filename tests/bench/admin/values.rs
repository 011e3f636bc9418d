//! Where the parameters of a read come from.

use anyhow::{Result, ensure};
use sqlx::{AssertSqlSafe, PgConnection};
use support::Administrator;
use support::administrator::Call;

/// Pages whose cursors are taken, one after the other.
const PAGES: usize = 20;

/// The values of a parameter, one for each call, and from the first one again after the last.
#[derive(Clone, Copy, Debug)]
pub(super) enum Values {
    /// The same in every call.
    Always(&'static str),
    /// The texts that this query finds.
    Each(&'static str),
    /// Where the first pages of the same list end, as it is with these parameters; of each the first text of a query.
    NextOf(&'static [(&'static str, &'static str)]),
}

impl Values {
    /// One after the other.
    pub(super) async fn read(
        self,
        operation: &str,
        administrator: &Administrator,
        database: &mut PgConnection,
    ) -> Result<Vec<String>> {
        let values = match self {
            Self::Always(value) => vec![value.to_owned()],
            Self::Each(query) => texts(database, query).await?,
            Self::NextOf(parameters) => {
                let mut list = administrator.call(operation);
                for (name, query) in parameters {
                    let found = texts(database, query).await?;
                    list = found.first().into_iter().fold(list, |list, value| list.query(name, value));
                }
                cursors(list).await
            }
        };
        ensure!(!values.is_empty(), "there are no values: {self:?}");
        Ok(values)
    }
}

async fn texts(database: &mut PgConnection, query: &'static str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(database).await?)
}

async fn cursors(list: Call) -> Vec<String> {
    let mut cursors: Vec<String> = Vec::new();
    while cursors.len() < PAGES {
        let page = match cursors.last() {
            Some(cursor) => list.clone().query("cursor", cursor).ok().await,
            None => list.ok().await,
        };
        let Some(next) = page["next"].as_str() else { break };
        cursors.push(next.to_owned());
    }
    cursors
}
