//! The roles of the binary and their arguments; each role has a file of its own.

mod descriptors;
mod environment;
mod healthcheck;
mod key;
mod password;
mod replay;
mod rotation;
mod serve;
mod usage_verify;
mod vault_rewrap;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

use crate::config::{DatabaseConfig, Environment, SecretName, VARIABLES, worker_threads};
use crate::openapi;
use crate::store::Database;
use crate::upstream::bedrock::capabilities;
use environment::environment;

/// A gateway between Claude Code and its models: the developer's plan first, Amazon Bedrock when the plan is limited.
#[derive(Parser, Debug)]
#[command(
    version,
    propagate_version = true,
    after_help = "Settings come from the environment; `serve --help` lists them."
)]
pub struct Cli {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand, Debug)]
enum Role {
    /// Run the proxy until SIGTERM or Ctrl-C.
    #[command(after_help = settings())]
    Serve,
    /// Bring the database's schema to the version of this binary, then exit.
    #[command(
        after_help = "Needs DATABASE_URL. Running it twice does no harm; a database newer than the binary is refused\n\
        with exit code 3, and stays as it is."
    )]
    Migrate,
    /// Write the OpenAPI documents, or print the YAML one.
    #[command(after_help = "Needs no settings, no database and no network.")]
    Openapi {
        /// Folder to write proxy.yaml and proxy.json to; without it the YAML document is printed.
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Print the table of what each generation of models takes on Bedrock.
    #[command(
        after_help = "Change a copy and name it in BEDROCK_CAPABILITIES_FILE. The first row that fits a model counts; the last \
                      one, and no other, must fit every model. In a row:\n  \
                      families  family (\"\": any) to the lowest version that it is about\n  \
                      betas     values of anthropic_beta that the models take, in the order in which they are sent\n  \
                      thinking  values of thinking.type; effort: levels of output_config.effort, the lowest first\n  \
                      the rest  whether the models take that field, and the largest max_tokens\n\
                      context_edits names for each edit of context_management its beta and the interfaces (BEDROCK_API) that \
                      take it."
    )]
    Capabilities,
    /// Ask a running proxy for its health; exit code 0 when it serves.
    #[command(after_help = "Reads LISTEN_ADDR to find the port, unless --url is given.")]
    Healthcheck {
        /// Address to ask instead, such as `http://127.0.0.1:8000/health`.
        #[arg(long)]
        url: Option<String>,
    },
    /// Read a password and print its Argon2id hash.
    #[command(after_help = "The password is asked for on a terminal, else read from the first line of standard input.")]
    HashPassword,
    /// Hold the sums of usage against the rows that they are sums of; exit code 1 when anything differs.
    #[command(after_help = usage_verify::HELP)]
    UsageVerify(usage_verify::VerifyArgs),
    /// Store usage that is in a journal or in a log of `serve` only; what the database has already stays as it is.
    #[command(
        after_help = "Needs DATABASE_URL. Of logs the `usage` and `usage_lost` lines are read, whatever stands between \
        them.\nPrints how many records were new, known, refused by the database, and unreadable. Exit code 1 when there \
        were any of the last two, or when not everything could be read or stored. Running it twice does no harm."
    )]
    UsageReplay(replay::ReplayArgs),
    /// Encrypt every Bedrock key under the key that KMS_KEY_ID names.
    #[command(after_help = vault_rewrap::HELP)]
    VaultRewrap,
    /// Work with access keys.
    Key {
        #[command(subcommand)]
        verb: KeyVerb,
    },
}

#[derive(Subcommand, Debug)]
enum KeyVerb {
    /// Create an access key, and its user if there is none of that name; the key is printed once.
    #[command(
        after_help = "Needs DATABASE_URL and KEY_HASHER_SECRET, and KMS_KEY_ID or LOCAL_VAULT_KEY_FILE with a Bedrock key.\n\
        Only the key goes to standard output; what else there is to say goes to standard error."
    )]
    Issue(key::IssueArgs),
}

impl Cli {
    /// Runs the role.
    ///
    /// # Errors
    /// Whatever ended the role early, with its causes.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        runtime()?.block_on(async {
            match self.role {
                Role::Serve => serve::serve().await,
                Role::Migrate => migrate().await,
                Role::Openapi { dir } => write_documents(dir.as_deref()),
                Role::Capabilities => {
                    print!("{}", capabilities::BUILT_IN);
                    Ok(ExitCode::SUCCESS)
                }
                Role::Healthcheck { url } => healthcheck::healthcheck(url).await,
                Role::HashPassword => password::hash_password(),
                Role::UsageVerify(args) => usage_verify::usage_verify(args).await,
                Role::UsageReplay(args) => replay::replay(args).await,
                Role::VaultRewrap => vault_rewrap::vault_rewrap().await,
                Role::Key { verb: KeyVerb::Issue(args) } => key::issue(args).await,
            }
        })
    }
}

/// One thread, unless more are asked for. With one, tasks wake each other without a system call and without an atomic queue.
fn runtime() -> anyhow::Result<Runtime> {
    let mut builder = match worker_threads(&mut Environment::of_process()) {
        Some(threads @ 2..) => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(threads);
            builder
        }
        _ => Builder::new_current_thread(),
    };
    builder.enable_all().build().context("the runtime cannot start")
}

fn settings() -> String {
    let lines = VARIABLES.iter().map(|v| format!("  {} ({})\n      {}", v.name, v.default_text(), v.meaning));
    format!("Settings (environment variables and their defaults):\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// How `migrate` ends where a later version has migrated the database: `cargo xtask deploy` goes back all the same.
const NEWER_SCHEMA: u8 = 3;

async fn migrate() -> anyhow::Result<ExitCode> {
    let mut env = environment(&[SecretName::Database]).await?;
    let config = DatabaseConfig::read(&mut env);
    env.finish()?;
    let database = Database::open(&config.context("DATABASE_URL is missing")?)?;
    database.reach().await?;
    match database.migrate().await {
        Ok(0) => eprintln!("the database is up to date"),
        Ok(applied) => eprintln!("migrations applied: {applied}; the database is up to date"),
        Err(error) if error.is_about_a_newer_schema() => {
            eprintln!("the database is newer than this program: {error}; nothing was changed");
            return Ok(ExitCode::from(NEWER_SCHEMA));
        }
        Err(error) => {
            let what = "the migration failed; every migration before it has been applied whole";
            return Err(anyhow::Error::new(error).context(what));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write_documents(dir: Option<&Path>) -> anyhow::Result<ExitCode> {
    for (name, text) in openapi::documents() {
        match dir {
            Some(dir) => {
                let path = dir.join(name);
                std::fs::write(&path, text)
                    .with_context(|| format!("cannot write {}; does the folder exist?", path.display()))?;
            }
            None if name == "proxy.yaml" => print!("{text}"),
            None => {}
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_consistent_and_serve_lists_every_setting() {
        use clap::CommandFactory as _;
        let mut command = Cli::command();
        command.clone().debug_assert();
        let help = command.find_subcommand_mut("serve").unwrap().render_long_help().to_string();
        for variable in VARIABLES {
            assert!(help.contains(variable.name), "{}", variable.name);
        }
    }
}
