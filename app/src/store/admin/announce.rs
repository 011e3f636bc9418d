//! Tells the other instances what has changed, in the transaction of the change: they hear of it when it is committed.

use sqlx::PgConnection;
use uuid::Uuid;

use super::StoreError;

/// The channel on which instances hear of changes (`LISTEN`).
pub const CHANNEL: &str = "claude_code_proxy_changes";

/// What has changed, as far as instances remember it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// An access key, or its Bedrock key: its holder has to be looked up anew.
    AccessKey(Uuid),
    /// A user: the holders of all keys of the user have to be looked up anew.
    User(Uuid),
    /// The map of models.
    Models,
    /// The price book.
    Prices,
}

impl News {
    /// As it is sent.
    pub fn text(&self) -> String {
        match self {
            Self::AccessKey(id) => format!("access_key {id}"),
            Self::User(id) => format!("user {id}"),
            Self::Models => "models".to_owned(),
            Self::Prices => "prices".to_owned(),
        }
    }

    /// Reads that; `None` for news of a newer version.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(' ') {
            Some(("access_key", id)) => id.parse().ok().map(Self::AccessKey),
            Some(("user", id)) => id.parse().ok().map(Self::User),
            _ if text == "models" => Some(Self::Models),
            _ if text == "prices" => Some(Self::Prices),
            _ => None,
        }
    }
}

/// Has it told when the transaction is committed.
pub(super) async fn announce(connection: &mut PgConnection, news: &News) -> Result<(), StoreError> {
    sqlx::query!("SELECT pg_notify($1, $2) AS sent", CHANNEL, news.text()).fetch_one(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_read_as_they_are_written() {
        for news in [News::AccessKey(Uuid::from_u128(1)), News::User(Uuid::from_u128(2)), News::Models, News::Prices] {
            assert_eq!(News::parse(&news.text()), Some(news));
        }
        for text in ["", "user", "user 7", "of tomorrow", "models 7"] {
            assert_eq!(News::parse(text), None, "{text}");
        }
    }
}
