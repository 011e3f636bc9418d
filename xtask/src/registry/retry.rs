//! Which failures of a registry are worth another try, and when.

use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;

use crate::progress::loud;

/// The waits before the second try and those after it.
const WAITS: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(8)];

/// A failure that may be over soon: no connection, 429, or an error of the registry itself.
#[derive(Debug)]
pub(super) struct Passing(pub(super) String);

impl std::fmt::Display for Passing {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Passing {}

/// Does something again while it fails in passing, four times in all.
pub(super) fn retry<T>(what: &str, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    for wait in WAITS {
        match attempt() {
            Err(error) if error.downcast_ref::<Passing>().is_some() => {
                loud(format_args!("{what} failed and is tried again in {:.1} s: {error:#}", wait.as_secs_f32()));
                sleep(wait);
            }
            ended => return ended,
        }
    }
    attempt()
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn only_what_passes_is_tried_again() {
        let mut tries = 0;
        let ended = retry("a test", || {
            tries += 1;
            if tries < 2 { Err(Passing("away".to_owned()).into()) } else { Ok(tries) }
        });
        assert_eq!(ended.ok(), Some(2));
        let mut tries = 0;
        let ended: Result<()> = retry("a test", || {
            tries += 1;
            bail!("refused")
        });
        assert_eq!((ended.is_err(), tries), (true, 1));
    }
}
