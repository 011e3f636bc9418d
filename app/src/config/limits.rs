//! Settings of what the proxy takes on at a time, and of how it lets go.

use std::num::NonZeroU32;
use std::time::Duration;

use super::env::Environment;
use super::variables as var;

/// Bounds of the service as a whole, rather than of a single request.
#[derive(Clone, Copy, Debug)]
pub struct LimitConfig {
    /// `MAX_IN_FLIGHT`, requests
    pub in_flight: usize,
    /// `KEY_REQUESTS_PER_MINUTE`; `None`: no limit
    pub key_requests_per_minute: Option<NonZeroU32>,
    /// `HEADER_TIMEOUT`
    pub head: Duration,
    /// `KEEP_ALIVE_TIMEOUT`
    pub keep_alive: Duration,
    /// `DRAIN_DELAY`, part of `shutdown`
    pub drain_delay: Duration,
    /// `SHUTDOWN_TIMEOUT`
    pub shutdown: Duration,
}

impl LimitConfig {
    /// Reads them all.
    pub(super) fn read(env: &mut Environment<'_>) -> Option<Self> {
        let in_flight = env.parse(&var::MAX_IN_FLIGHT, |text| match text.parse() {
            Ok(number @ 1_usize..=1_000_000) => Ok(number),
            _ => Err("must be a number from 1 to 1000000"),
        });
        let key_requests_per_minute = env.parse(&var::KEY_REQUESTS_PER_MINUTE, |text| match text.parse() {
            Ok(number) if number <= NonZeroU32::MIN.saturating_add(999_999) => Ok(number),
            _ => Err("must be a number from 1 to 1000000; leave it unset for no limit"),
        });
        let head = env.duration(&var::HEADER_TIMEOUT);
        let keep_alive = env.duration(&var::KEEP_ALIVE_TIMEOUT);
        let drain_delay = env.duration_or_zero(&var::DRAIN_DELAY);
        let shutdown = env.duration(&var::SHUTDOWN_TIMEOUT);
        if let (Some(delay), Some(whole)) = (drain_delay, shutdown)
            && delay >= whole
        {
            let shown = humantime::format_duration(delay).to_string();
            env.problem(
                &var::DRAIN_DELAY,
                Some(&shown),
                "must be shorter than SHUTDOWN_TIMEOUT, of which it is a part",
            );
        }
        Some(Self {
            in_flight: in_flight?,
            key_requests_per_minute,
            head: head?,
            keep_alive: keep_alive?,
            drain_delay: drain_delay?,
            shutdown: shutdown?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<LimitConfig, String> {
        let lookup = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let mut env = Environment::new(lookup);
        let limits = LimitConfig::read(&mut env);
        env.finish().map_err(|problems| problems.to_string())?;
        Ok(limits.unwrap())
    }

    #[test]
    fn the_defaults_are_those_of_the_design() {
        let limits = read(&[]).unwrap();
        assert_eq!((limits.in_flight, limits.key_requests_per_minute), (2000, None));
        assert_eq!((limits.head, limits.keep_alive), (Duration::from_secs(10), Duration::from_secs(650)));
        assert_eq!((limits.drain_delay, limits.shutdown), (Duration::from_secs(10), Duration::from_secs(110)));
    }

    #[test]
    fn only_the_delay_may_be_nothing_and_it_must_fit() {
        assert_eq!(read(&[("DRAIN_DELAY", "0s")]).unwrap().drain_delay, Duration::ZERO);
        for (name, value) in [
            ("SHUTDOWN_TIMEOUT", "0s"),
            ("SHUTDOWN_TIMEOUT", "10s"),
            ("HEADER_TIMEOUT", "0s"),
            ("MAX_IN_FLIGHT", "0"),
            ("KEY_REQUESTS_PER_MINUTE", "0"),
            ("KEY_REQUESTS_PER_MINUTE", "1000001"),
        ] {
            assert!(read(&[(name, value)]).is_err(), "{name}={value}");
        }
    }
}
