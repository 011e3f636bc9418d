//! Searches the logs of a test run for the secrets that the tests have used.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::{Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use anyhow::{Context, Result, bail, ensure};

/// Shorter ones would be found by chance.
const SHORTEST: usize = 8;
/// How many places are shown; the first ones are enough to find the cause.
const SHOWN: usize = 20;

/// What must have been there to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// A whole run uses secrets and logs; a search without either would prove nothing.
    Something,
    /// Part of a run may have neither.
    Anything,
}

/// A secret at a place where none may be. It never holds the secret itself.
#[derive(Debug, PartialEq, Eq)]
struct Leak {
    line: usize,
    hint: String,
}

/// Searches every `*.log` and `*.jsonl` of the folder for every line of `secrets/*.txt`, and says how much that was.
pub(super) fn check(folder: &Path, rule: Rule) -> Result<String> {
    let registered = files(&folder.join("secrets"), &["txt"])?;
    let mut secrets = BTreeSet::new();
    for file in &registered {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        secrets.extend(text.lines().map(str::trim).filter(|line| line.len() >= SHORTEST).map(str::to_owned));
    }
    let logs = files(folder, &["log", "jsonl"])?;
    let app_logs = logs.iter().filter(|log| log.extension() == Some(OsStr::new("jsonl"))).count();
    if rule == Rule::Something {
        ensure!(
            !secrets.is_empty(),
            "no test has registered a secret in {}; the search would prove nothing: run the groups `it` and `clients` first",
            folder.join("secrets").display()
        );
        ensure!(
            app_logs > 0,
            "no test has written a log *.jsonl to {}; the search would prove nothing: run the groups `it` and `clients` \
             first",
            folder.display()
        );
    }
    let summary = format!("searched {} logs for {} secrets and found none", logs.len(), secrets.len());
    let searcher = Searcher::new(secrets)?;
    let mut found = Vec::new();
    for log in &logs {
        let content = fs::read(log).with_context(|| format!("cannot read {}", log.display()))?;
        found.extend(searcher.leaks(&content).into_iter().map(|leak| format!("{}:{leak}", log.display())));
    }
    if found.is_empty() {
        return Ok(summary);
    }
    let more = found.len().saturating_sub(SHOWN);
    found.truncate(SHOWN);
    let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    bail!("secrets in the logs; what logs them must not:\n  {}{more}", found.join("\n  "))
}

/// All secrets at once, so that each log is read once however many there are.
struct Searcher {
    automaton: AhoCorasick,
    secrets: Vec<String>,
}

impl Searcher {
    fn new(secrets: impl IntoIterator<Item = String>) -> Result<Self> {
        let secrets: Vec<_> = secrets.into_iter().collect();
        let automaton = AhoCorasick::new(&secrets).context("too many secrets to search for")?;
        Ok(Self { automaton, secrets })
    }

    fn leaks(&self, log: &[u8]) -> Vec<Leak> {
        let (mut line, mut counted) = (1, 0);
        let hits = self.automaton.find_iter(log);
        hits.map(|hit| {
            line += log[counted..hit.start()].iter().map(|byte| usize::from(*byte == b'\n')).sum::<usize>();
            counted = hit.start();
            let hint = self.secrets[hit.pattern().as_usize()].chars().take(6).collect();
            Leak { line, hint }
        })
        .collect()
    }
}

impl Display for Leak {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}…", self.line, self.hint)
    }
}

/// The files of a folder with one of the extensions, in order. A folder that is not there has none.
fn files(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let wanted = |path: &PathBuf| {
        path.is_file() && path.extension().is_some_and(|kind| extensions.iter().any(|extension| kind == *extension))
    };
    let mut files: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).filter(wanted).collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "ak_planted-secret-0123456789";

    /// A run's folder with one registered secret and one log, removed when dropped.
    struct Run(PathBuf);

    impl Run {
        fn with_log(name: &str, log: &str) -> Result<Self> {
            let folder = std::env::temp_dir().join(format!("ccp-leaks-{name}-{}", std::process::id()));
            fs::create_dir_all(folder.join("secrets"))?;
            fs::write(folder.join("secrets/1.txt"), format!("short\n{SECRET}\n"))?;
            fs::write(folder.join("app.jsonl"), log)?;
            Ok(Self(folder))
        }

        fn error(&self) -> String {
            check(&self.0, Rule::Something).err().map(|error| error.to_string()).unwrap_or_default()
        }
    }

    impl Drop for Run {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_planted_secret_is_found_and_not_repeated() -> Result<()> {
        let run = Run::with_log("planted", &format!("{{}}\n{{}}\n{{\"url\":\"/ak/{SECRET}/v1\"}}\n"))?;
        let error = run.error();
        assert!(error.contains("app.jsonl:3: ak_pla…"), "{error}");
        assert!(!error.contains(SECRET), "{error}");
        Ok(())
    }

    #[test]
    fn a_clean_log_passes_although_it_has_a_short_secret() -> Result<()> {
        let run = Run::with_log("clean", "{\"text\":\"a short word\"}\n")?;
        assert_eq!(run.error(), "");
        Ok(())
    }

    #[test]
    fn a_search_that_would_prove_nothing_fails() -> Result<()> {
        let run = Run::with_log("nothing", "{}\n")?;
        fs::remove_file(run.0.join("app.jsonl"))?;
        assert!(run.error().contains("*.jsonl"));
        fs::remove_file(run.0.join("secrets/1.txt"))?;
        assert!(run.error().contains("registered a secret"));
        assert!(check(&run.0, Rule::Anything).is_ok());
        Ok(())
    }

    #[test]
    fn every_place_is_told_with_its_line() -> Result<()> {
        let searcher = Searcher::new(["secret-one".to_owned(), "secret-two".to_owned()])?;
        let leaks = searcher.leaks(b"secret-two\n\nx secret-one secret-two\n");
        assert_eq!(leaks.iter().map(|leak| leak.line).collect::<Vec<_>>(), [1, 3, 3]);
        assert!(searcher.leaks(b"secret-\none").is_empty());
        Ok(())
    }
}
