//! The committed counts, one set for each architecture, with the compiler that made the code.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// What was counted of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// Its name.
    pub(super) case: String,
    /// How much it works on, in `unit`s.
    pub(super) amount: u64,
    /// `byte` or `time`.
    pub(super) unit: String,
    /// The instructions of one run.
    pub(super) instructions: u64,
}

/// What was counted here and now.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    /// What the compiler calls itself.
    pub(super) rustc: String,
    /// All cases, in their order.
    pub(super) counts: Vec<Count>,
}

/// What was counted when it was committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Baseline {
    /// What the compiler called itself.
    pub(super) rustc: String,
    /// The instructions of each case.
    pub(super) instructions: BTreeMap<String, u64>,
}

/// The file.
#[derive(Clone, Debug)]
pub(super) struct Baselines(Value);

impl Baselines {
    /// Reads the file; where there is none, there are no baselines.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text = match fs::read_to_string(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self(json!({}))),
            text => text.with_context(|| format!("cannot read {}", file.display()))?,
        };
        Ok(Self(serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))?))
    }

    /// The baseline of an architecture.
    pub(super) fn of(&self, architecture: &str) -> Option<Baseline> {
        let of = self.0.get(architecture)?;
        let instructions = serde_json::from_value(of["instructions"].clone()).ok()?;
        Some(Baseline { rustc: of["rustc"].as_str()?.to_owned(), instructions })
    }

    /// The same with other counts for an architecture.
    pub(super) fn with(mut self, architecture: &str, counted: &Counted) -> Self {
        let instructions: BTreeMap<_, _> = counted.counts.iter().map(|of| (&of.case, of.instructions)).collect();
        self.0[architecture] = json!({ "rustc": counted.rustc, "instructions": instructions });
        self
    }

    /// Writes the file.
    pub(super) fn write(&self, file: &Path) -> Result<()> {
        fs::write(file, format!("{:#}\n", self.0)).with_context(|| format!("cannot write {}", file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_architecture_has_its_own_and_what_is_written_is_read() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("instructions.json");
        let count = |instructions| Count { case: "a".into(), amount: 1, unit: "time".into(), instructions };
        let counted = |instructions| Counted { rustc: "rustc 1".into(), counts: vec![count(instructions)] };
        assert_eq!(Baselines::read(&file)?.of("x86_64"), None);
        Baselines::read(&file)?.with("x86_64", &counted(7)).with("aarch64", &counted(9)).write(&file)?;
        Baselines::read(&file)?.with("x86_64", &counted(8)).write(&file)?;
        let of = |architecture| Ok::<_, anyhow::Error>(Baselines::read(&file)?.of(architecture));
        let expected = |instructions| {
            Some(Baseline { rustc: "rustc 1".into(), instructions: [("a".into(), instructions)].into() })
        };
        assert_eq!([of("x86_64")?, of("aarch64")?], [expected(8), expected(9)]);
        Ok(())
    }
}
