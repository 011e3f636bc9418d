//! Asks the person at the terminal.

use std::io::{IsTerminal, Write, stderr, stdin};

use anyhow::{Context, Result, bail};

use crate::exit::Refused;

/// Asks a question that "yes" answers; where there is nobody to ask, it is refused with the way to do without.
pub(crate) async fn confirm(question: &str, without: &str) -> Result<()> {
    if !stdin().is_terminal() {
        bail!(Refused(format!("nobody is there to say yes: {without}")));
    }
    let typed = ask(format!("{question} [yes/no] ")).await?;
    if matches!(typed.as_str(), "y" | "yes") { Ok(()) } else { bail!(Refused("nothing was changed".to_owned())) }
}

/// Asks for a line.
pub(crate) async fn ask(prompt: String) -> Result<String> {
    // In a thread that is left behind on Ctrl-C.
    let typed = tokio::task::spawn_blocking(move || -> std::io::Result<String> {
        write!(stderr().lock(), "{prompt}")?;
        let mut line = String::new();
        stdin().read_line(&mut line)?;
        Ok(line.trim().to_owned())
    });
    typed.await.context("nobody answered")?.context("cannot read the answer")
}
