//! Failed logins are counted by address and by name, so that nobody tries passwords.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

/// Failures within [`WINDOW`] after which the next attempt has to wait.
const ALLOWED: usize = 5;
const WINDOW: Duration = Duration::from_mins(1);
/// Failures that are remembered at the most; beyond, all attempts wait.
const REMEMBERED: usize = 1000;

/// The failures of the last minute.
#[derive(Default, Debug)]
pub struct Logins {
    failures: Mutex<Vec<Failure>>,
}

#[derive(Debug)]
struct Failure {
    at: Instant,
    address: IpAddr,
    /// Hashed: people type passwords into the wrong field, and names may be of any length.
    name: [u8; 32],
}

impl Logins {
    /// Whether a login may be tried now. The attempt counts as failed until it is [forgiven](Self::succeeded), so that many
    /// at a time are no way around.
    ///
    /// # Errors
    /// How long to wait.
    pub fn attempt(&self, address: IpAddr, name: &str, now: Instant) -> Result<(), Duration> {
        let name = Sha256::digest(name.as_bytes()).into();
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.retain(|failure| now.saturating_duration_since(failure.at) < WINDOW);
        let by_address = failures.iter().rev().filter(|failure| failure.address == address).nth(ALLOWED - 1);
        let by_name = failures.iter().rev().filter(|failure| failure.name == name).nth(ALLOWED - 1);
        let too_many = failures.first().filter(|_| failures.len() >= REMEMBERED);
        let wait = [by_address, by_name, too_many].into_iter().flatten().map(|failure| failure.at + WINDOW).max();
        if let Some(until) = wait {
            return Err(until.saturating_duration_since(now));
        }
        failures.push(Failure { at: now, address, name });
        Ok(())
    }

    /// Whoever has the password is forgiven.
    pub fn succeeded(&self, address: IpAddr, name: &str) {
        let name: [u8; 32] = Sha256::digest(name.as_bytes()).into();
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.retain(|failure| failure.address != address || failure.name != name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn the_sixth_failure_of_a_minute_waits_for_the_first_to_be_over() {
        let (logins, start) = (Logins::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        for second in 0..5 {
            assert_eq!(logins.attempt(address(1), "ada", at(second)), Ok(()));
        }
        assert_eq!(logins.attempt(address(1), "grace", at(10)), Err(Duration::from_secs(50)), "by address");
        assert_eq!(logins.attempt(address(2), "ada", at(10)), Err(Duration::from_secs(50)), "by name");
        assert_eq!(logins.attempt(address(2), "grace", at(10)), Ok(()));
        assert_eq!(logins.attempt(address(1), "ada", at(60)), Ok(()));
        assert_eq!(logins.attempt(address(1), "ada", at(60)), Err(Duration::from_secs(1)));
    }

    #[test]
    fn who_logs_in_is_forgiven() {
        let (logins, now) = (Logins::default(), Instant::now());
        for _ in 0..20 {
            assert_eq!(logins.attempt(address(1), "ada", now), Ok(()));
            logins.succeeded(address(1), "ada");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let (logins, now) = (Logins::default(), Instant::now());
        for number in 0..REMEMBERED {
            let address = IpAddr::from(u32::try_from(number).unwrap().to_be_bytes());
            assert_eq!(logins.attempt(address, &number.to_string(), now), Ok(()));
        }
        assert_eq!(logins.attempt(address(1), "ada", now), Err(WINDOW));
        assert_eq!(logins.attempt(address(1), "ada", now + WINDOW), Ok(()));
    }
}
