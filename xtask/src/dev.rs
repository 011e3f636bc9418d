//! `cargo xtask dev`: the proxy with a database and a first key, running in the terminal until Ctrl-C.

mod access_key;
mod administrator;
mod guide;
pub(crate) mod interrupt;
mod kept;
pub(crate) mod port;
mod proxy;
mod running;
mod secrets;
mod simulated;

use std::path::Path;

use anyhow::{Result, ensure};

use crate::postgres::{self, Database, Options, Psql};
use crate::progress::{show, step};
use crate::workspace::{self, Program, Workspace};
use access_key::Wanted;
use guide::Guide;
use interrupt::Interrupt;
use proxy::{Proxy, Roles};
use running::Running;
use secrets::Secrets;
use simulated::Simulated;

/// The options of the verb.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Use a simulated plan and a simulated Bedrock: no subscription, no AWS account, no network
    #[arg(long)]
    simulate: bool,
    /// The port of the proxy on 127.0.0.1
    #[arg(long, default_value_t = 8000, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// How many requests the simulated plan answers before it is limited
    #[arg(long, value_name = "N", default_value_t = 3, requires = "simulate")]
    plan_limit_after: u32,
    /// The AWS region that Bedrock is called in [default: that of the access key of last time, or of `key issue`]
    #[arg(long)]
    region: Option<String>,
    /// The Bedrock model, inference profile or ARN that serves when the plan cannot [default: as for --region]
    #[arg(long)]
    model: Option<String>,
}

/// Starts everything, waits for Ctrl-C or SIGTERM, and stops everything in order.
pub fn run_verb(arguments: &Arguments) -> Result<()> {
    let interrupt = Interrupt::listen()?;
    let mut running = Running::default();
    let started = start(arguments, &interrupt, &mut running);
    if started.is_err() && interrupt.requested() {
        // A step that Ctrl-C broke off reports that it failed; that is what was asked for.
        running.stop(&interrupt)?;
        step("interrupted; everything has stopped");
        return Ok(());
    }
    let watched = started.and_then(|()| running.watch(&interrupt));
    let stopped = running.stop(&interrupt);
    watched.and(stopped)?;
    step("everything has stopped");
    Ok(())
}

/// Starts one part after the other. What runs when a part fails is in `running`, for its orderly end.
fn start(arguments: &Arguments, interrupt: &Interrupt, running: &mut Running) -> Result<()> {
    let workspace = Workspace::locate()?;
    let options = Options { data_dir: workspace.local().join("postgres"), durable: true };
    // What can be wrong with the machine or the call is told before minutes are spent on a build.
    ensure_alone(arguments, &options.data_dir)?;
    port::ensure_free(arguments.port)?;
    let reserved = Database::reserve(&options)?;
    let programs: &[_] = if arguments.simulate { &[Program::Proxy, Program::Simulate] } else { &[Program::Proxy] };
    workspace::announce_build(&workspace, programs);
    interrupt.run(&mut workspace.build(programs), "build")?;

    let folder = workspace.local().join("dev");
    let database = running.database.insert(reserved.open()?);
    let psql = own_database(database)?;
    let external = matches!(database, Database::External(_));
    let secrets = Secrets::keep(&folder)?;
    let roles = Roles::new(workspace.binary(Program::Proxy), psql.url(), &secrets, &folder);
    step("applying migrations");
    interrupt.run(&mut roles.migrate(), "apply the migrations")?;

    let wanted = Wanted::new(arguments.simulate, arguments.region.as_deref(), arguments.model.as_deref());
    let key = access_key::obtain(&folder, &wanted, &psql, &roles, &secrets)?;
    let administrator = administrator::obtain(&folder, &roles)?;
    interrupt.check()?;
    if arguments.simulate {
        running.simulated = Some(Simulated::start(&workspace.binary(Program::Simulate), arguments.plan_limit_after)?);
    }
    let proxy =
        running.proxy.insert(Proxy::start(&roles, arguments.port, running.simulated.as_ref(), administrator.as_ref())?);
    proxy.wait_until_healthy(interrupt)?;
    let plan_limit_after = arguments.simulate.then_some(arguments.plan_limit_after);
    show(Guide {
        port: arguments.port,
        key: &key,
        administrator: administrator.as_ref(),
        psql: &psql,
        external,
        plan_limit_after,
    });
    Ok(())
}

/// Fails where another `dev` runs on the same database: it has the port, too, but another port alone would not help.
fn ensure_alone(arguments: &Arguments, data_dir: &Path) -> Result<()> {
    let simulate = if arguments.simulate { " --simulate" } else { "" };
    ensure!(
        postgres::external_url().is_some() || !postgres::in_use(data_dir),
        "another `cargo xtask dev` runs on the database in {}; stop that one first (Ctrl-C in its terminal), or give this \
         one a database of its own: `DATABASE_URL=postgres://... cargo xtask dev{simulate} --port {}`",
        data_dir.display(),
        port::free_after(arguments.port)
    );
    Ok(())
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Call {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn accepts(arguments: &[&str]) -> bool {
        Call::try_parse_from(["dev"].iter().chain(arguments)).is_ok_and(|call| call.arguments.port > 0)
    }

    #[test]
    fn options_that_could_not_work_are_refused() {
        assert!(accepts(&[]));
        assert!(accepts(&["--port", "65535"]));
        assert!(!accepts(&["--port", "0"]));
        assert!(accepts(&["--simulate", "--plan-limit-after", "0"]));
        assert!(!accepts(&["--plan-limit-after", "1"]));
    }
}
