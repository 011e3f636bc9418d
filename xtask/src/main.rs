//! The entry of `cargo xtask`: one verb, one file.

use std::process::ExitCode;

use clap::Parser;
use xtask::{bench, build, dev, offline_aws, operate, prepare, synth, test, yardstick};

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
    /// Make the deployment in AWS, or bring it up to date: infrastructure, image, schema, service
    #[command(disable_help_flag = true)]
    Deploy(operate::Arguments),
    /// Show what a deployment would change
    #[command(disable_help_flag = true)]
    Diff(operate::Arguments),
    /// Bring the schema of a database up to date: here, or with --stack by a task beside the deployed service
    #[command(disable_help_flag = true)]
    Migrate(operate::Arguments),
    /// Show how the deployment is: versions, tasks, alarms, addresses
    #[command(disable_help_flag = true)]
    Status(operate::Arguments),
    /// Show the log of the deployed service
    #[command(disable_help_flag = true)]
    Logs(operate::Arguments),
    /// Take the deployment down, and say what is kept
    #[command(disable_help_flag = true)]
    Destroy(operate::Arguments),
    /// Set the administrator's password of the deployment
    #[command(disable_help_flag = true)]
    Admin(operate::Arguments),
    /// Print what a deployer has to be allowed, as a policy of IAM
    #[command(disable_help_flag = true)]
    Policy(operate::Arguments),
    /// Run an AWS for tests here, for trying a deployment without an account, until Ctrl-C
    OfflineAws(offline_aws::Arguments),
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
        Verb::Deploy(arguments) => operate::run_verb("deploy", &arguments),
        Verb::Diff(arguments) => operate::run_verb("diff", &arguments),
        Verb::Migrate(arguments) => operate::run_verb("migrate", &arguments),
        Verb::Status(arguments) => operate::run_verb("status", &arguments),
        Verb::Logs(arguments) => operate::run_verb("logs", &arguments),
        Verb::Destroy(arguments) => operate::run_verb("destroy", &arguments),
        Verb::Admin(arguments) => operate::run_verb("admin", &arguments),
        Verb::Policy(arguments) => operate::run_verb("policy", &arguments),
        Verb::OfflineAws(arguments) => offline_aws::run_verb(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            xtask::progress::failure(&error);
            ExitCode::FAILURE
        }
    }
}
