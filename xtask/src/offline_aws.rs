//! `cargo xtask offline-aws`: an AWS on this machine, for trying a deployment without an account, until Ctrl-C.

mod registry;
mod server;

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::dev::interrupt::Interrupt;
use crate::dev::port;
use crate::progress::{loud, show, step};
use crate::test::clients_folder;
use crate::workspace::Workspace;

pub use registry::Registry;
pub use server::{Server, Settings, install};

const POLL: Duration = Duration::from_millis(100);

/// The options of the verb.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The port on 127.0.0.1
    #[arg(long, default_value_t = 4566, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
}

/// Starts it with a registry beside it, if there is the program for one, and waits for Ctrl-C or SIGTERM.
pub fn run_verb(arguments: &Arguments) -> Result<()> {
    let interrupt = Interrupt::listen()?;
    let workspace = Workspace::locate()?;
    port::ensure_free(arguments.port)?;
    let python = match install(&clients_folder(&workspace))? {
        Ok(python) => python,
        Err(reason) => bail!("{reason}"),
    };
    let registry = if Registry::is_installed() {
        Some(Registry::start(&workspace.local().join("offline-aws"))?)
    } else {
        loud(
            "without `docker-registry` images cannot be pushed (Debian, Ubuntu: `sudo apt-get install docker-registry`)",
        );
        None
    };
    let settings = Settings {
        python: &python,
        root: workspace.root(),
        port: arguments.port,
        registry: registry.as_ref().map(Registry::url),
    };
    let mut server = Server::start(&settings)?;
    show(guide(server.url()));
    while !interrupt.requested() {
        ensure!(!server.has_ended()?, "the offline AWS ended by itself; its last lines above say why");
        sleep(POLL);
    }
    server.stop()?;
    step("the offline AWS has stopped; what was in it is gone");
    Ok(())
}

fn guide(url: &str) -> String {
    format!(
        "An AWS for tests listens at {url}; what is in it goes with it. In another terminal:\n\n\
         \x20   export AWS_ENDPOINT_URL={url} AWS_REGION=us-east-1\n\
         \x20   export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test\n\n\
         What was called is told by {url}/requests; Ctrl-C ends it."
    )
}
