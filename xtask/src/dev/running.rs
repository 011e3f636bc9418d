//! Everything that `cargo xtask dev` has started so far, and the order in which it ends.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, bail};

use super::interrupt::Interrupt;
use super::proxy::Proxy;
use super::simulated::Simulated;
use crate::postgres::Database;
use crate::progress::step;

/// The parts, as far as they have been started.
#[derive(Default)]
pub(super) struct Running {
    /// The serving proxy.
    pub(super) proxy: Option<Proxy>,
    /// The simulated upstreams, if they are wanted.
    pub(super) simulated: Option<Simulated>,
    /// The database of the proxy.
    pub(super) database: Option<Database>,
}

impl Running {
    /// Returns when the person wants to end, and fails when a part of the whole ends by itself.
    pub(super) fn watch(&mut self, interrupt: &Interrupt) -> Result<()> {
        while !interrupt.requested() {
            if let Some(status) = self.proxy.as_mut().map_or(Ok(None), Proxy::ended)? {
                bail!("the proxy ended by itself with {status}; its last log lines above say why");
            }
            if let Some(status) = self.simulated.as_mut().map_or(Ok(None), Simulated::ended)? {
                bail!("the simulated upstreams ended by themselves with {status}; see their output above");
            }
            if let Some(Database::Private(cluster)) = &mut self.database {
                cluster.check()?;
            }
            sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Stops what runs. The proxy goes first and the database last: the proxy still writes usage while it stops.
    pub(super) fn stop(self, interrupt: &Interrupt) -> Result<()> {
        let proxy = self.proxy.map_or(Ok(()), |proxy| proxy.stop(interrupt));
        let simulated = self.simulated.map_or(Ok(()), Simulated::stop);
        if matches!(self.database, Some(Database::Private(_))) {
            step("stopping PostgreSQL");
        }
        drop(self.database);
        proxy.and(simulated)
    }
}
