//! `cargo xtask bench --only instructions`: how many instructions the parts of the proxy take, counted by callgrind, against
//! what is committed. Counts do not hang on how fast or how busy a machine is, so a change that costs something shows.

use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::baseline::{Baselines, Count, Counted};
use super::comparison::{Comparison, no_baseline};
use crate::command::{output, run};
use crate::progress::step;
use crate::test::clients::missing;
use crate::workspace::Workspace;

/// The bench target of the app, and the profile that it is built in.
const NAME: &str = "instructions";
const ELSEWHERE: &str = "instructions are counted with valgrind, on Linux";
/// The function that the program wraps around what is to be counted.
const COUNTED_FUNCTION: &str = "*run_and_count*";
/// The allocator tidies up every now and then, by the time that has passed and by what has been allocated. For a count it
/// does not: that made counts differ by up to 4 %, and without it two runs count the same.
const UNTIDY: (&str, &str) =
    ("_RJEM_MALLOC_CONF", "dirty_decay_ms:-1,muzzy_decay_ms:-1,tcache_gc_incr_bytes:1073741824");
/// Everything that is started takes some seconds.
const WITHIN: Duration = Duration::from_mins(5);

/// Why nothing can be compared on a machine like this one, whatever is installed.
pub(crate) fn incomparable(workspace: &Workspace) -> Result<Option<String>> {
    if !cfg!(target_os = "linux") {
        return Ok(Some(ELSEWHERE.to_owned()));
    }
    let known = Baselines::read(&baselines(workspace))?.of(ARCH).is_some();
    Ok((!known).then(|| no_baseline(ARCH)))
}

/// What is missing to count; in CI it is installed where that is possible.
pub(crate) fn missing_program() -> Result<Option<String>> {
    missing("valgrind", "valgrind")
}

/// Counts all cases and compares them, or makes what was counted what others are compared with.
pub(super) fn run_scenario(workspace: &Workspace, update: bool) -> Result<()> {
    ensure!(cfg!(target_os = "linux"), ELSEWHERE);
    if let Some(reason) = missing_program()? {
        bail!(reason);
    }
    let program = build(workspace)?;
    let folder = workspace.target().join("callgrind");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    step("counting instructions");
    let counts = list(&program)?.iter().map(|case| count(&program, case, &folder)).collect::<Result<Vec<_>>>()?;
    let counted = Counted { rustc: rustc()?, counts };
    let file = baselines(workspace);
    let baselines = Baselines::read(&file)?;
    let comparison = Comparison::of(&counted, baselines.of(ARCH));
    println!("\n{comparison}");
    let written = workspace.local().join("bench");
    fs::create_dir_all(&written).with_context(|| format!("cannot make {}", written.display()))?;
    fs::write(written.join("instructions.md"), comparison.to_string()).context("cannot write instructions.md")?;
    step(format_args!("for `callgrind_annotate` what each case did is in {}", folder.display()));
    if update {
        baselines.with(ARCH, &counted).write(&file)?;
        step(format_args!("written to {}", file.display()));
        return Ok(());
    }
    comparison.verdict(ARCH)
}

fn baselines(workspace: &Workspace) -> PathBuf {
    workspace.root().join("app/benches/instructions.json")
}

/// Builds the program that runs the cases, and says where it is.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    step("building the cases with optimisation (the first time takes minutes)");
    let cargo = || {
        let mut cargo = workspace.cargo();
        cargo.args(["build", "--package", "claude-code-proxy", "--bench", NAME, "--profile", NAME]);
        // What somebody wants of the compiler for this machine would count differently.
        cargo.env("RUSTFLAGS", "");
        cargo
    };
    run(&mut cargo(), "build the cases")?;
    // The name of the file has a hash in it.
    let built = output(cargo().args(["--message-format", "json"]), "", WITHIN)?;
    let messages = String::from_utf8_lossy(&built.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program = messages
        .filter(|message| message["target"]["name"] == NAME && message["target"]["kind"][0] == "bench")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from));
    program.context("cargo does not say where it has put the cases")
}

/// The cases, and how much each works on.
fn list(program: &Path) -> Result<Vec<Count>> {
    let listed = output(&mut Command::new(program), "", WITHIN)?;
    let text = String::from_utf8_lossy(&listed.stdout);
    let read = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        Some(Count { case: words.next()?, amount: words.next()?.parse().ok()?, unit: words.next()?, instructions: 0 })
    };
    let cases: Option<Vec<Count>> = text.lines().map(read).collect();
    cases.filter(|cases| !cases.is_empty()).with_context(|| format!("{} lists no cases", program.display()))
}

/// Runs a case under callgrind.
fn count(program: &Path, case: &Count, folder: &Path) -> Result<Count> {
    let name = &case.case;
    let out = folder.join(format!("{name}.out"));
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--collect-atstart=no", &format!("--toggle-collect={COUNTED_FUNCTION}")]);
    valgrind.arg(format!("--callgrind-out-file={}", out.display()));
    // Names of the machine lie on the stack with the environment, and would move what is below them.
    valgrind.arg(program).arg(name).env_clear().envs([UNTIDY]);
    valgrind.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    let ended = output(&mut valgrind, "", WITHIN)?;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "{name} ended with {} under callgrind:\n{}", ended.status, said.trim());
    let profile = fs::read_to_string(&out).with_context(|| format!("cannot read {}", out.display()))?;
    let instructions = total(&profile).with_context(|| format!("callgrind has counted nothing of {name}"))?;
    Ok(Count { instructions, ..case.clone() })
}

/// The instructions in a profile of callgrind; none where the function was never entered.
fn total(profile: &str) -> Option<u64> {
    let line = profile.lines().find_map(|line| line.strip_prefix("summary:").or_else(|| line.strip_prefix("totals:")));
    line?.trim().parse().ok().filter(|count| *count > 0)
}

/// Which compiler it is.
fn rustc() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = output(Command::new(rustc).arg("--version"), "", WITHIN)?;
    Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_a_profile_of_callgrind() {
        let profile = |lines: &str| format!("# callgrind format\nversion: 1\nevents: Ir\n{lines}\nfn=(1) x\n1 2\n");
        assert_eq!(total(&profile("summary: 1234")), Some(1234));
        assert_eq!(total("events: Ir\nfn=(1) x\n1 2\n\ntotals: 77\n"), Some(77));
        assert_eq!(total(&profile("summary: 0")), None);
        assert_eq!(total(""), None);
    }
}
