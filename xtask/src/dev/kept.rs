//! The access key that is kept between runs: one file for each database, and beside it a note of what it was issued for.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::secrets::{self, Secrets, read};
use crate::fingerprint::fingerprint;
use crate::postgres::Psql;

/// Names the database, and then its schema: another server and a database made anew give another first line; a schema made
/// anew gives another second one. In each of these cases the key of before is unknown.
const IDENTITY: &str = "select system_identifier || '|' || (select oid from pg_database where datname = current_database()) \
                        || E'\\n' || '_sqlx_migrations'::regclass::oid from pg_control_system()";

/// What Bedrock is asked for with an access key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bedrock {
    /// The AWS region.
    pub(super) region: String,
    /// The model, inference profile or ARN.
    pub(super) model: String,
}

impl Bedrock {
    /// What the database says, where an administrator may have changed it; nothing for a key that is unknown or revoked.
    pub(super) fn of_key(psql: &Psql, key: &str) -> Result<Option<Self>> {
        ensure!(Kept::is_key(key), "an access key has letters, digits, _ and - only");
        // The beginning that is shown to administrators, too: arguments can be read by every user of the machine.
        let beginning = &key[..key.len().min(12)];
        let row = psql
            .query(&format!(
                "select bedrock_region, bedrock_model from access_keys \
                 where starts_with('{beginning}', key_prefix) and status <> 'revoked' order by created_at desc limit 1"
            ))
            .context("cannot look the access key up")?;
        Ok(row.split_once('|').map(|(region, model)| Self { region: region.to_owned(), model: model.to_owned() }))
    }
}

/// A key from an earlier run that is still good.
pub(super) struct Kept {
    /// The key itself, `ak_...`.
    pub(super) text: String,
    /// What Bedrock is asked for with it.
    pub(super) bedrock: Bedrock,
    bedrock_key: String,
}

impl Kept {
    #[cfg(test)]
    pub(super) fn new(text: &str, bedrock_key: Option<&str>, bedrock: Bedrock) -> Self {
        Self { text: text.to_owned(), bedrock, bedrock_key: short(bedrock_key) }
    }

    /// Where the key for a database is kept.
    pub(super) fn place(folder: &Path, simulated: bool, psql: &Psql, secrets: &Secrets) -> Result<Place> {
        let identity = psql.query(IDENTITY).context("cannot identify the database")?;
        let (database, schema) = identity.split_once('\n').context("the database has no identity")?;
        let kind = if simulated { "-simulate" } else { "" };
        let file = folder.join(format!("access-key{kind}-{}", fingerprint(database.as_bytes())));
        // Under other secrets, too, the key of before is unknown.
        let belongs_to = format!("database {database}|{schema}|{}", secrets.fingerprint()?);
        Ok(Place { file, belongs_to })
    }

    /// Whether a text can be an access key.
    pub(super) fn is_key(text: &str) -> bool {
        text.starts_with("ak_") && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    }

    /// Whether it was issued with this Bedrock key.
    pub(super) fn has_bedrock_key(&self, key: &str) -> bool {
        self.bedrock_key == short(Some(key))
    }

    /// Whether it was issued with a Bedrock key at all.
    pub(super) fn has_any_bedrock_key(&self) -> bool {
        self.bedrock_key != short(None)
    }
}

/// A file for a key, and what the key in it must have been issued for.
pub(super) struct Place {
    file: PathBuf,
    belongs_to: String,
}

impl Place {
    /// The file of the key.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// The kept key, if there is one that the database still knows.
    pub(super) fn read(&self, psql: &Psql) -> Result<Option<Kept>> {
        let (Ok(text), Ok(note)) = (read(&self.file), read(&self.note())) else { return Ok(None) };
        let Some(bedrock_key) = self.bedrock_key_of(&note).filter(|_| Kept::is_key(&text)) else { return Ok(None) };
        let bedrock = Bedrock::of_key(psql, &text)?;
        Ok(bedrock.map(|bedrock| Kept { text, bedrock, bedrock_key: bedrock_key.to_owned() }))
    }

    /// Keeps a new key in the place of the earlier one.
    pub(super) fn write(&self, key: &str, bedrock_key: Option<&str>) -> Result<()> {
        secrets::write(&self.file, key)?;
        // Last: without it a run that was killed in between issues another key.
        secrets::write(&self.note(), &format!("{} bedrock {}", self.belongs_to, short(bedrock_key)))
    }

    fn note(&self) -> PathBuf {
        self.file.with_extension("for")
    }

    fn bedrock_key_of<'a>(&self, note: &'a str) -> Option<&'a str> {
        note.strip_prefix(&self.belongs_to)?.strip_prefix(" bedrock ")
    }
}

/// A Bedrock key as it is noted: a fingerprint only.
fn short(bedrock_key: Option<&str>) -> String {
    bedrock_key.map_or_else(|| "none".to_owned(), |key| fingerprint(key.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_right_for_its_database_only() {
        let place = |belongs_to: &str| Place { file: PathBuf::from("k"), belongs_to: belongs_to.to_owned() };
        let note = format!("database 1|2|3 bedrock {}", short(Some("key")));
        assert_eq!(place("database 1|2|3").bedrock_key_of(&note), Some(short(Some("key")).as_str()));
        assert_eq!(place("database 1|2|4").bedrock_key_of(&note), None);
        assert_eq!(place("database 1|2").bedrock_key_of(&note), None);
        assert_eq!(place("database 1|2|3").note(), PathBuf::from("k.for"));
    }

    #[test]
    fn only_a_key_is_a_key() {
        assert!(Kept::is_key("ak_aZ0-_"));
        assert!(!Kept::is_key("ak_x' or true"));
        assert!(!Kept::is_key("sk_x"));
    }
}
