//! Tells the other instances what has changed, in the transaction of the change: they hear of it when it is committed.

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::StoreError;
use crate::domain::{BedrockTarget, CircuitId, Dialect, Refusal, RefusalKind};

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
    /// A circuit, which is to be closed.
    Circuit(CircuitId),
    /// What a model of one of Bedrock's interfaces refuses, which is to be forgotten.
    Capability(Dialect, BedrockTarget, Refusal),
}

/// The last of these on its way: names and models may hold anything.
#[derive(Serialize, Deserialize)]
struct Forgotten {
    dialect: String,
    region: String,
    model: String,
    kind: String,
    name: String,
}

impl News {
    /// As it is sent.
    pub fn text(&self) -> String {
        match self {
            Self::AccessKey(id) => format!("access_key {id}"),
            Self::User(id) => format!("user {id}"),
            Self::Models => "models".to_owned(),
            Self::Prices => "prices".to_owned(),
            Self::Circuit(id) => format!("circuit {id}"),
            Self::Capability(dialect, target, refusal) => {
                let forgotten = Forgotten {
                    dialect: dialect.name().to_owned(),
                    region: target.region.clone(),
                    model: target.model.clone(),
                    kind: refusal.kind.name().to_owned(),
                    name: refusal.name.clone(),
                };
                format!("capability {}", serde_json::to_string(&forgotten).unwrap_or_default())
            }
        }
    }

    /// Reads that; `None` for news of a newer version.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(' ') {
            Some(("access_key", id)) => id.parse().ok().map(Self::AccessKey),
            Some(("user", id)) => id.parse().ok().map(Self::User),
            Some(("circuit", id)) => id.parse().ok().map(Self::Circuit),
            Some(("capability", json)) => {
                let forgotten: Forgotten = serde_json::from_str(json).ok()?;
                let refusal = Refusal { kind: RefusalKind::parse(&forgotten.kind)?, name: forgotten.name };
                let target = BedrockTarget { region: forgotten.region, model: forgotten.model };
                Some(Self::Capability(forgotten.dialect.parse().ok()?, target, refusal))
            }
            _ if text == "models" => Some(Self::Models),
            _ if text == "prices" => Some(Self::Prices),
            _ => None,
        }
    }
}

/// Has it told when the transaction is committed.
pub(in crate::store) async fn announce(connection: &mut PgConnection, news: &News) -> Result<(), StoreError> {
    sqlx::query!("SELECT pg_notify($1, $2) AS sent", CHANNEL, news.text()).fetch_one(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_read_as_they_are_written() {
        let target = BedrockTarget { region: "us-east-1".to_owned(), model: "m".to_owned() };
        let refusal = Refusal::new(RefusalKind::Field, "of \"two\" words");
        for news in [
            News::AccessKey(Uuid::from_u128(1)),
            News::User(Uuid::from_u128(2)),
            News::Models,
            News::Prices,
            News::Circuit(CircuitId::Bedrock("us-east-1".to_owned())),
            News::Capability(Dialect::Messages, target, refusal),
        ] {
            assert_eq!(News::parse(&news.text()), Some(news));
        }
        for text in ["", "user", "user 7", "of tomorrow", "models 7", "circuit x", "capability {}"] {
            assert_eq!(News::parse(text), None, "{text}");
        }
    }
}
