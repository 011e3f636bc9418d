//! The developer's access key: issued once for a database, then kept.

use std::env;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::kept::{Bedrock, Kept};
use super::proxy::Roles;
use super::secrets::Secrets;
use crate::command::output;
use crate::postgres::Psql;
use crate::progress::step;

const ISSUED_WITHIN: Duration = Duration::from_mins(1);

/// A key to paste.
pub(super) struct AccessKey {
    /// The key itself, `ak_...`.
    pub(super) text: String,
    /// Whether requests can fall back to Bedrock.
    pub(super) has_bedrock_key: bool,
    /// What Bedrock is asked for with it.
    pub(super) bedrock: Bedrock,
}

/// What the key should be like, as far as the caller says it.
pub(super) struct Wanted<'a> {
    /// Simulated and real Bedrock keys are never mixed, so each kind has an access key of its own.
    pub(super) simulated: bool,
    bedrock_key: Option<String>,
    region: Option<&'a str>,
    model: Option<&'a str>,
}

/// What to do for it.
#[derive(Debug, PartialEq, Eq)]
enum Decision<'a> {
    Keep,
    Issue { region: Option<&'a str>, model: Option<&'a str> },
    AskForBedrockKey,
}

impl<'a> Wanted<'a> {
    /// With a made-up Bedrock key for simulated upstreams, and otherwise with that of the environment, if there is one.
    pub(super) fn new(simulated: bool, region: Option<&'a str>, model: Option<&'a str>) -> Self {
        let bedrock_key = if simulated {
            Some("simulated-bedrock-key".to_owned())
        } else {
            env::var("BEDROCK_API_KEY").ok().filter(|key| !key.is_empty())
        };
        Self { simulated, bedrock_key, region, model }
    }

    /// What nobody says now stays as it is with the kept key, its Bedrock key included.
    fn decide(&self, kept: Option<&'a Kept>) -> Decision<'a> {
        let Some(kept) = kept else { return Decision::Issue { region: self.region, model: self.model } };
        let same = |wanted: Option<&str>, had: &str| wanted.is_none_or(|wanted| wanted == had);
        let same_target = same(self.region, &kept.bedrock.region) && same(self.model, &kept.bedrock.model);
        let same_key = self.bedrock_key.as_deref().is_none_or(|key| kept.has_bedrock_key(key));
        if same_target && same_key {
            Decision::Keep
        } else if self.bedrock_key.is_none() && kept.has_any_bedrock_key() {
            Decision::AskForBedrockKey
        } else {
            Decision::Issue {
                region: Some(self.region.unwrap_or(&kept.bedrock.region)),
                model: Some(self.model.unwrap_or(&kept.bedrock.model)),
            }
        }
    }
}

/// The kept key when it belongs to this database and is what is wanted, and otherwise a new one.
pub(super) fn obtain(
    folder: &Path,
    wanted: &Wanted<'_>,
    psql: &Psql,
    roles: &Roles,
    secrets: &Secrets,
) -> Result<AccessKey> {
    let place = Kept::place(folder, wanted.simulated, psql, secrets)?;
    let kept = place.read(psql)?;
    let (region, model) = match wanted.decide(kept.as_ref()) {
        Decision::Issue { region, model } => (region, model),
        Decision::AskForBedrockKey => bail!(
            "--region and --model make a new access key, and that needs the Bedrock key once more, which is stored encrypted: \
             `BEDROCK_API_KEY=... cargo xtask dev` with the same options"
        ),
        Decision::Keep => {
            let kept = kept.context("a key is kept")?;
            step(format_args!("using the access key in {}", place.file().display()));
            return Ok(AccessKey {
                has_bedrock_key: kept.has_any_bedrock_key(),
                text: kept.text,
                bedrock: kept.bedrock,
            });
        }
    };
    step("issuing an access key for the user `developer`");
    let bedrock_key = wanted.bedrock_key.as_deref();
    let text = issue(roles, bedrock_key, region, model)?;
    place.write(&text, bedrock_key)?;
    let bedrock =
        Bedrock::of_key(psql, &text)?.context("the access key that was just issued is not in the database")?;
    Ok(AccessKey { text, has_bedrock_key: bedrock_key.is_some(), bedrock })
}

fn issue(roles: &Roles, bedrock_key: Option<&str>, region: Option<&str>, model: Option<&str>) -> Result<String> {
    let mut command = roles.issue_key("developer");
    for (option, value) in [("--region", region), ("--model", model)] {
        // In one argument, so that a value that begins with a dash is no option.
        command.args(value.map(|value| format!("{option}={value}")));
    }
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
        Kept::is_key(text),
        "`claude-code-proxy key issue` must print one access key (ak_...) on its standard output, but prints {} bytes of \
         something else",
        text.len()
    );
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(bedrock_key: Option<&str>) -> Kept {
        let bedrock = Bedrock { region: "r1".to_owned(), model: "m1".to_owned() };
        Kept::new("ak_x", bedrock_key, bedrock)
    }

    fn wanted<'a>(bedrock_key: Option<&str>, region: Option<&'a str>, model: Option<&'a str>) -> Wanted<'a> {
        Wanted { simulated: false, bedrock_key: bedrock_key.map(str::to_owned), region, model }
    }

    #[test]
    fn what_is_not_said_stays_as_it_was() {
        let with = kept(Some("key"));
        assert_eq!(wanted(None, None, None).decide(Some(&with)), Decision::Keep);
        assert_eq!(wanted(Some("key"), Some("r1"), None).decide(Some(&with)), Decision::Keep);
        let other_region = wanted(Some("key"), Some("r2"), None);
        assert_eq!(other_region.decide(Some(&with)), Decision::Issue { region: Some("r2"), model: Some("m1") });
        let other_key = wanted(Some("other"), None, Some("m2"));
        assert_eq!(other_key.decide(Some(&with)), Decision::Issue { region: Some("r1"), model: Some("m2") });
    }

    #[test]
    fn a_bedrock_key_is_not_lost_by_a_change() {
        let change = wanted(None, None, Some("m2"));
        assert_eq!(change.decide(Some(&kept(Some("key")))), Decision::AskForBedrockKey);
        assert_eq!(change.decide(Some(&kept(None))), Decision::Issue { region: Some("r1"), model: Some("m2") });
        assert_eq!(change.decide(None), Decision::Issue { region: None, model: Some("m2") });
    }
}
