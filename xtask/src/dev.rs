//! `cargo xtask dev`: the proxy with a database and a first key, running in the terminal until Ctrl-C.

mod access_key;
mod guide;
mod interrupt;
mod proxy;
mod secrets;
mod simulated;

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::postgres::{Database, Options, Psql};
use crate::progress::{show, step};
use crate::workspace::{self, Program, Workspace};
use guide::Guide;
use interrupt::Interrupt;
use proxy::{Proxy, Roles};
use secrets::Secrets;
use simulated::Simulated;

/// The options of the verb.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Use a simulated plan and a simulated Bedrock: no subscription, no AWS account, no network
    #[arg(long)]
    simulate: bool,
    /// The port of the proxy on 127.0.0.1
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// How many requests the simulated plan answers before it is limited
    #[arg(long, value_name = "N", default_value_t = 3)]
    plan_limit_after: u32,
}

/// Starts everything, waits for Ctrl-C or SIGTERM, and stops everything in order.
pub fn run_verb(arguments: &Arguments) -> Result<()> {
    let interrupt = Interrupt::listen()?;
    let mut running = match Running::start(arguments, &interrupt) {
        // A step that Ctrl-C broke off reports that it failed; that is what was asked for.
        Err(_) if interrupt.requested() => return Ok(()),
        started => started?,
    };
    let watched = running.watch(&interrupt);
    let stopped = running.stop(&interrupt);
    watched.and(stopped)
}

/// Everything that runs. The fields are in the order of the ends: the proxy still writes usage while it stops.
struct Running {
    proxy: Proxy,
    simulated: Option<Simulated>,
    database: Database,
}

impl Running {
    fn start(arguments: &Arguments, interrupt: &Interrupt) -> Result<Self> {
        let workspace = Workspace::locate()?;
        proxy::ensure_port_is_free(arguments.port)?;
        let programs: &[_] = if arguments.simulate { &[Program::Proxy, Program::Simulate] } else { &[Program::Proxy] };
        workspace::announce_build(programs);
        interrupt.run(&mut workspace.build(programs), "build")?;

        let folder = workspace.local().join("dev");
        let database = Database::open(&Options { data_dir: workspace.local().join("postgres"), durable: true })?;
        let psql = own_database(&database)?;
        let secrets = Secrets::keep(&folder)?;
        let roles = Roles::new(workspace.binary(Program::Proxy), psql.url(), &secrets);
        step("applying migrations");
        interrupt.run(&mut roles.migrate(), "apply the migrations")?;

        let mode = if arguments.simulate { access_key::Mode::Simulated } else { access_key::Mode::Real };
        let key = access_key::obtain(&folder, mode, &psql, &roles, &secrets)?;
        let simulated = arguments
            .simulate
            .then(|| Simulated::start(&workspace.binary(Program::Simulate), arguments.plan_limit_after))
            .transpose()?;
        let proxy = Proxy::start(&roles, arguments.port, simulated.as_ref(), interrupt)?;
        let guide = Guide {
            port: arguments.port,
            access_key: key.text,
            has_bedrock_key: key.has_bedrock_key,
            psql: &psql,
            external: matches!(database, Database::External(_)),
            plan_limit_after: arguments.simulate.then_some(arguments.plan_limit_after),
        };
        show(guide);
        Ok(Self { proxy, simulated, database })
    }

    /// Returns when the person wants to end, and fails when a part of the whole ends by itself.
    fn watch(&mut self, interrupt: &Interrupt) -> Result<()> {
        while !interrupt.requested() {
            if let Some(status) = self.proxy.ended()? {
                bail!("the proxy ended by itself with {status}; its last log lines above say why");
            }
            if let Some(status) = self.simulated.as_mut().map_or(Ok(None), Simulated::ended)? {
                bail!("the simulated upstreams ended by themselves with {status}; see their output above");
            }
            if let Database::Private(cluster) = &mut self.database {
                cluster.check()?;
            }
            sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn stop(self, interrupt: &Interrupt) -> Result<()> {
        step("stopping the proxy: running requests may finish (Ctrl-C again: at once)");
        let proxy = self.proxy.stop(interrupt);
        let simulated = self.simulated.map_or(Ok(()), Simulated::stop);
        if matches!(self.database, Database::Private(_)) {
            step("stopping PostgreSQL");
        }
        drop(self.database);
        step("everything has stopped");
        proxy.and(simulated)
    }
}

/// The database of the proxy: its own one in a private cluster, or exactly the one that `DATABASE_URL` names.
fn own_database(database: &Database) -> Result<Psql> {
    const NAME: &str = "claude_code_proxy";
    let psql = Psql::new(database.url())?;
    match database {
        Database::External(_) => Ok(psql),
        Database::Private(_) => {
            psql.create_database_if_missing(NAME)?;
            Ok(psql.database(NAME))
        }
    }
}
