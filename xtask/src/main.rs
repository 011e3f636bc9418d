//! The entry of `cargo xtask`: one verb, one file.

use std::process::ExitCode;

use clap::Parser;
use xtask::{bench, build, dev, prepare, synth, test, yardstick};

/// The commands of Claude Code Proxy
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Verb {
    /// Run the proxy here with a database and a first key, until Ctrl-C
    Dev(dev::Arguments),
    /// Run every test, installing what they need
    Test(test::Arguments),
    /// Renew the generated files: the query cache and the API description
    Prepare(prepare::Arguments),
    /// Write the template of the infrastructure, or check the committed one
    Synth(synth::Arguments),
    /// Compare what Claude Code itself sends to Bedrock with what the proxy makes of the same prompt
    Yardstick(yardstick::Arguments),
    /// Measure a release build, and write the results to .local/bench
    Bench(bench::Arguments),
    /// Build the container image, without a container engine, and push it to a registry
    Build(build::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Verb::parse() {
        Verb::Dev(arguments) => dev::run_verb(&arguments),
        Verb::Test(arguments) => test::run_verb(&arguments),
        Verb::Prepare(arguments) => prepare::run_verb(&arguments),
        Verb::Synth(arguments) => synth::run_verb(&arguments),
        Verb::Yardstick(arguments) => yardstick::run_verb(&arguments),
        Verb::Bench(arguments) => bench::run_verb(&arguments),
        Verb::Build(arguments) => build::run_verb(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            xtask::progress::failure(&error);
            ExitCode::FAILURE
        }
    }
}
