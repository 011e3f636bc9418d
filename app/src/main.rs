//! The binary: one program with roles, so that a server, a migration task and a laptop run the same file.

use std::process::ExitCode;

use clap::Parser as _;
use claude_code_proxy::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
