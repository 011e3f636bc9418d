//! The developer's access key: issued once for a database, then kept.

use std::env;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::proxy::Roles;
use super::secrets::{self, Secrets, read};
use crate::command::output;
use crate::fingerprint::fingerprint;
use crate::postgres::Psql;
use crate::progress::step;

/// Names the database as long as its schema lives: another server, a database made anew and a schema made anew all give
/// another answer, and in each of these cases the key of before is unknown.
const IDENTITY: &str = "select system_identifier, (select oid from pg_database where datname = current_database()), \
                        '_sqlx_migrations'::regclass::oid from pg_control_system()";

const ISSUED_WITHIN: Duration = Duration::from_mins(1);

/// Simulated and real Bedrock keys are never mixed, so each mode has an access key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// With a made-up Bedrock key.
    Simulated,
    /// With the Bedrock key of the environment, if there is one.
    Real,
}

/// A key to paste.
pub(super) struct AccessKey {
    /// The key itself, `ak_...`.
    pub(super) text: String,
    /// Whether requests can fall back to Bedrock.
    pub(super) has_bedrock_key: bool,
}

/// The kept key when it belongs to this database and this Bedrock key, and otherwise a new one.
pub(super) fn obtain(folder: &Path, mode: Mode, psql: &Psql, roles: &Roles, secrets: &Secrets) -> Result<AccessKey> {
    let bedrock_key = match mode {
        Mode::Simulated => Some("simulated-bedrock-key".to_owned()),
        Mode::Real => env::var("BEDROCK_API_KEY").ok().filter(|key| !key.is_empty()),
    };
    let file = folder.join(match mode {
        Mode::Simulated => "access-key-simulate",
        Mode::Real => "access-key",
    });
    let note = file.with_extension("for");
    // Under other secrets, too, the key of before is unknown.
    let database = psql.query(IDENTITY).context("cannot identify the database")? + "|" + &secrets.fingerprint()?;
    let kept = || Some((read(&file).ok()?, read(&note).ok()?));
    if let Some((text, belongs_to)) = kept()
        && let Some(has_bedrock_key) = still_right(&belongs_to, &database, bedrock_key.as_deref())
    {
        step(format_args!("using the access key in {}", file.display()));
        return Ok(AccessKey { text, has_bedrock_key });
    }
    step("issuing an access key for the user `developer`");
    let text = issue(roles, bedrock_key.as_deref())?;
    secrets::write(&file, &text)?;
    // Last: without it a run that was killed in between issues another key.
    secrets::write(&note, &belonging(&database, bedrock_key.as_deref()))?;
    Ok(AccessKey { text, has_bedrock_key: bedrock_key.is_some() })
}

/// What a key was issued for: a database, and perhaps a Bedrock key, of which only a fingerprint is noted.
fn belonging(database: &str, bedrock_key: Option<&str>) -> String {
    let bedrock = bedrock_key.map_or_else(|| "none".to_owned(), |key| fingerprint(key.as_bytes()));
    format!("database {database} bedrock {bedrock}")
}

/// Whether a kept key can go on being used, and if so, whether it has a Bedrock key. One that was registered before stays
/// in use when the environment names none now.
fn still_right(belongs_to: &str, database: &str, bedrock_key: Option<&str>) -> Option<bool> {
    let had_none = belongs_to == belonging(database, None);
    let right = match bedrock_key {
        Some(_) => belongs_to == belonging(database, bedrock_key),
        None => belongs_to.starts_with(&format!("database {database} ")),
    };
    right.then_some(!had_none)
}

fn issue(roles: &Roles, bedrock_key: Option<&str>) -> Result<String> {
    let mut command = roles.issue_key("developer");
    if bedrock_key.is_some() {
        command.arg("--bedrock-key-stdin");
    }
    // Through standard input, because arguments can be read by every user of the machine.
    let output = output(&mut command, bedrock_key.unwrap_or_default(), ISSUED_WITHIN)?;
    ensure!(
        output.status.success(),
        "cannot issue an access key: `key issue` ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let text = String::from_utf8(output.stdout).context("the access key is not text")?;
    let text = text.trim();
    ensure!(
        text.starts_with("ak_") && !text.contains(char::is_whitespace),
        "`claude-code-proxy key issue` must print one access key (ak_...) on its standard output, but prints {} bytes of \
         something else",
        text.len()
    );
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_key_is_right_for_its_database_and_its_bedrock_key_only() {
        let with = belonging("1|2|3", Some("key"));
        let without = belonging("1|2|3", None);
        assert_eq!(still_right(&with, "1|2|3", Some("key")), Some(true));
        assert_eq!(still_right(&with, "1|2|3", None), Some(true));
        assert_eq!(still_right(&with, "1|2|3", Some("other")), None);
        assert_eq!(still_right(&with, "1|2|4", Some("key")), None);
        assert_eq!(still_right(&without, "1|2|3", None), Some(false));
        assert_eq!(still_right(&without, "1|2|3", Some("key")), None);
        assert_eq!(still_right("", "1|2|3", None), None);
    }
}
