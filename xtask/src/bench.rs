//! `cargo xtask bench`: measurements of a release build, written down as tables. They are in a program of their own, which
//! is built and started here with what it needs; the counts of instructions are made here.

mod baseline;
mod comparison;
pub(crate) mod instructions;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::command::run;
use crate::nginx;
use crate::postgres::{Database, Options, Psql, Reserved};
use crate::progress::{readable, step};
use crate::workspace::{Program, Workspace};

/// The options of the verb, and of the program with the measurements.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Run this benchmark only; may be given more than once
    #[arg(long, value_enum, value_name = "NAME")]
    pub only: Vec<Benchmark>,
    /// instructions: make the counts of this build those that others are compared with
    #[arg(long)]
    pub update: bool,
    /// queries and admin: how many rows of usage the database holds
    #[arg(long, value_name = "N", default_value_t = 5_000_000, value_parser = clap::value_parser!(u32).range(100_000..))]
    pub rows: u32,
    /// queries and admin: keep the filled database; the next run with as many rows finds it and begins at once
    #[arg(long)]
    pub keep: bool,
    /// All but instructions, queries, admin and sizing: how many times each variant or way is measured, instead of the benchmark's own number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: Option<u32>,
    /// All but instructions, queries, admin, start and synth: seconds that each variant or way is measured for at a time
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..=20))]
    pub seconds: Option<u32>,
    /// Write the tables and pictures of speed, sizing and soak to tests/bench/results, too, which the README shows
    #[arg(long)]
    pub publish: bool,
    /// soak: how long the traffic lasts
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    pub minutes: u32,
    /// soak: make the decisions of an earlier run again
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// All but instructions: write the results to this folder instead of .local/bench
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// metering: requests that begin in a second
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=2000))]
    pub rate: u32,
}

/// What can be asked for by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Benchmark {
    /// One of the program with the measurements.
    Measured(Scenario),
    /// The counts of instructions, which need neither that program nor a database.
    Instructions,
}

/// One benchmark of the program with the measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// How long each query on usage takes in a large database, and that an index answers it
    Queries,
    /// How long an administrator waits for each read of the admin API, with that database
    Admin,
    /// What it costs a request that its usage is recorded
    Metering,
    /// What a small request costs of the processor, beside nginx
    Small,
    /// What a request of 100 KB with a stream of 200 events costs of the processor, beside nginx
    Stream,
    /// What a request of 1 MB costs of the processor, beside nginx
    Large,
    /// What is added to the time until an answer begins
    Ttfb,
    /// What 1,000 and 5,000 streams at a time take: time, processor, memory
    Streams,
    /// How long it takes from the plan's refusal to the call of Bedrock
    Fallback,
    /// How soon the proxy listens, and how large it is
    Start,
    /// How long the template of the infrastructure takes
    Synth,
    /// How many developers a task of half a processor and 1 GiB serves; limits it with a cgroup, for which it wants root
    Sizing,
    /// Whether half an hour of mixed traffic with faults loses usage, memory or descriptors; runs only when asked for by name
    Soak,
}

impl Scenario {
    /// All of them, in the order in which they run.
    pub const ALL: [Self; 13] = [
        Self::Small,
        Self::Stream,
        Self::Large,
        Self::Ttfb,
        Self::Streams,
        Self::Fallback,
        Self::Start,
        Self::Synth,
        Self::Sizing,
        Self::Metering,
        // Last, because the database that they fill is busy with itself for a while.
        Self::Queries,
        Self::Admin,
        Self::Soak,
    ];

    /// The name on the command line and of the file with the results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queries => "queries",
            Self::Admin => "admin",
            Self::Metering => "metering",
            Self::Small => "small",
            Self::Stream => "stream",
            Self::Large => "large",
            Self::Ttfb => "ttfb",
            Self::Streams => "streams",
            Self::Fallback => "fallback",
            Self::Start => "start",
            Self::Soak => "soak",
            Self::Synth => "synth",
            Self::Sizing => "sizing",
        }
    }

    /// Whether it runs when nothing is asked for by name. The soak finds faults that come with time, and measures nothing that
    /// anybody waits for half an hour longer.
    fn is_usual(self) -> bool {
        self != Self::Soak
    }

    /// Whether it needs the server that the others share. The soak has one that it may stop.
    fn wants_database(self) -> bool {
        self != Self::Soak
    }

    /// Whether it compares the proxy with nginx.
    fn wants_nginx(self) -> bool {
        // The fallback stands on the same stage.
        !matches!(
            self,
            Self::Queries | Self::Admin | Self::Metering | Self::Start | Self::Synth | Self::Sizing | Self::Soak
        )
    }
}

impl Arguments {
    /// What was asked for of the program with the measurements, in the order in which it runs.
    pub fn chosen(&self) -> impl Iterator<Item = Scenario> {
        Scenario::ALL.into_iter().filter(|scenario| self.is_chosen(Benchmark::Measured(*scenario)))
    }

    fn is_chosen(&self, benchmark: Benchmark) -> bool {
        let is_usual = !matches!(benchmark, Benchmark::Measured(scenario) if !scenario.is_usual());
        self.only.contains(&benchmark) || (self.only.is_empty() && is_usual)
    }
}

impl ValueEnum for Benchmark {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<Benchmark>> = LazyLock::new(|| {
            let measured = Scenario::ALL.into_iter().map(Benchmark::Measured);
            std::iter::once(Benchmark::Instructions).chain(measured).collect()
        });
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Measured(scenario) => scenario.to_possible_value(),
            Self::Instructions => Some(
                PossibleValue::new("instructions")
                    .help("How many instructions the parts of the proxy take, against what is committed"),
            ),
        }
    }
}

/// Counts instructions first, which is soon done; then builds everything, opens a database whose disk waits as in production,
/// and runs the measurements.
pub fn run_verb(arguments: &Arguments) -> Result<()> {
    let started = Instant::now();
    let workspace = Workspace::locate()?;
    if arguments.is_chosen(Benchmark::Instructions) {
        instructions::run_scenario(&workspace, arguments.update)?;
    }
    if arguments.chosen().next().is_none() {
        step(format_args!("done after {}", readable(started.elapsed())));
        return Ok(());
    }
    let options = Options { data_dir: workspace.local().join("postgres-bench"), durable: true };
    let shared = arguments.chosen().any(Scenario::wants_database);
    let reserved = shared.then(|| Database::reserve(&options)).transpose()?;
    let nginx = arguments.chosen().any(Scenario::wants_nginx).then(nginx::find).transpose()?;
    step("building with optimisation (the first time takes minutes)");
    run(workspace.build(&[Program::Proxy, Program::Bench, Program::Xtask]).arg("--release"), "build")?;
    let logs = workspace.target().join("bench-output");
    if logs.exists() {
        fs::remove_dir_all(&logs).with_context(|| format!("cannot empty {}", logs.display()))?;
    }
    fs::create_dir_all(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
    // Held to the end of the run.
    let database = reserved.map(Reserved::open).transpose()?;
    if let Some(Database::Private(cluster)) = &database {
        forget_earlier(&Psql::new(cluster.url())?)?;
    }
    let mut measure = Command::new(workspace.release_binary(Program::Bench));
    // The program reads the same options by itself.
    measure.args(env::args_os().skip(2));
    measure
        .envs(database.iter().map(|database| ("DATABASE_URL", database.url())))
        .env("CCP_BIN", workspace.release_binary(Program::Proxy))
        .env("XTASK_BIN", workspace.release_binary(Program::Xtask))
        .env("CCP_TEST_OUTPUT", logs);
    if let Some(nginx) = nginx {
        measure.env("NGINX_BIN", nginx);
    }
    run(&mut measure, "measure")?;
    step(format_args!("done after {}", readable(started.elapsed())));
    Ok(())
}

/// Removes what the harness left in the server, which otherwise belongs to nobody any more.
fn forget_earlier(server: &Psql) -> Result<()> {
    let names = server.query("select datname from pg_database where datname like 'ccp\\_test\\_%'")?;
    names.lines().try_for_each(|name| server.drop_database(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soak_runs_only_when_it_is_asked_for() {
        let arguments = |only: &[Benchmark]| Arguments {
            only: only.to_vec(),
            update: false,
            rows: 100_000,
            keep: false,
            rounds: None,
            seconds: None,
            publish: false,
            minutes: 30,
            seed: None,
            to: None,
            rate: 100,
        };
        let usual: Vec<_> = arguments(&[]).chosen().collect();
        assert!(!usual.contains(&Scenario::Soak) && usual.len() == Scenario::ALL.len() - 1);
        let soak: Vec<_> = arguments(&[Benchmark::Measured(Scenario::Soak)]).chosen().collect();
        assert_eq!(soak, [Scenario::Soak]);
    }

    #[test]
    fn the_command_line_uses_the_same_names() {
        for scenario in Scenario::ALL {
            let name = scenario.to_possible_value().map(|value| value.get_name().to_owned());
            assert_eq!(name.as_deref(), Some(scenario.name()));
        }
    }
}
