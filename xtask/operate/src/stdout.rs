//! Results go to standard output; a reader that has had enough, such as `head`, is no error.

use std::io::{ErrorKind, Write, stdout};

use anyhow::{Context, Result};

/// Writes a text and the end of a line; says whether anybody still reads.
pub(crate) fn print(text: &str) -> Result<bool> {
    let mut out = stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("cannot write to standard output"),
    }
}
