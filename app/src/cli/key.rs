//! The role `key issue`: an access key from the command line.

use std::io::BufRead as _;
use std::process::ExitCode;

use anyhow::Context as _;
use rust_decimal::Decimal;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::environment::environment;
use crate::auth::KeyHasher;
use crate::config::{AwsConfig, DatabaseConfig, KeyConfig, SecretName, TimeoutConfig, VaultConfig};
use crate::domain::bedrock_target::{DEFAULT_MODEL, DEFAULT_REGION, check_chosen_model, check_in_region, check_region};
use crate::domain::{AccessKey, BedrockKey, Family, RoutingStrategy};
use crate::store::{Database, NewKey, SealedBedrockKey};
use crate::upstream::http_client;
use crate::vault::{Vault as _, Vaults};

/// The bound of the column, a trillion.
const MAX_BUDGET: Decimal = Decimal::from_parts(0xd4a5_1000, 0xe8, 0, false, 0);

/// Arguments of `key issue`.
#[derive(clap::Args, Debug)]
pub(super) struct IssueArgs {
    /// Name of the developer.
    #[arg(long, value_parser = user_name)]
    user: String,
    /// AWS region of the Bedrock calls.
    #[arg(long, default_value = DEFAULT_REGION, value_parser = |text: &str| check_region(text).map(|()| text.to_owned()))]
    region: String,
    /// Bedrock model, inference profile or ARN that serves when the plan cannot and the requested model has none of its own.
    #[arg(long, default_value = DEFAULT_MODEL, value_parser = |text: &str| check_chosen_model(text).map(|()| text.to_owned()))]
    model: String,
    /// Bedrock model for all requested models of a family, such as haiku=global.anthropic.claude-haiku-5-5; once for each
    /// of fable, opus, sonnet, haiku and other.
    #[arg(long, value_name = "FAMILY=MODEL", value_parser = family_model)]
    model_for: Vec<(Family, String)>,
    /// How the user's requests are served: plan_first, bedrock_only or plan_only [default for a new user: plan_first].
    #[arg(long, value_parser = routing)]
    routing: Option<RoutingStrategy>,
    /// What Bedrock may cost for the user in a calendar month, in USD, such as 50 or 49.90 [default for a new user: no limit].
    #[arg(long, value_name = "USD", value_parser = budget, allow_negative_numbers = true)]
    monthly_budget_usd: Option<Decimal>,
    /// Read the Bedrock API key of this access key from the first line of standard input.
    #[arg(long)]
    bedrock_key_stdin: bool,
}

fn user_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let length = name.chars().count();
    if (1..=255).contains(&length) && !name.chars().any(char::is_control) {
        Ok(name.to_owned())
    } else {
        Err("a name has 1 to 255 characters and no control characters".to_owned())
    }
}

fn routing(text: &str) -> Result<RoutingStrategy, String> {
    RoutingStrategy::parse(text).ok_or_else(|| "write plan_first, bedrock_only or plan_only".to_owned())
}

fn budget(text: &str) -> Result<Decimal, String> {
    let amount = Decimal::from_str_exact(text).ok().filter(|amount| (Decimal::ZERO..MAX_BUDGET).contains(amount));
    amount.ok_or_else(|| {
        format!("{text:?} is no amount from 0 to below {MAX_BUDGET}; write dollars, such as 50 or 49.90")
    })
}

fn family_model(text: &str) -> Result<(Family, String), String> {
    let families = Family::ALL.map(Family::name).join(", ");
    let (name, model) = text
        .split_once('=')
        .ok_or_else(|| format!("{text:?} names no model; write FAMILY=MODEL with one of {families} as the family"))?;
    let family = Family::ALL.into_iter().find(|family| family.name() == name);
    let family = family.ok_or_else(|| format!("{name:?} is no family of models; write one of {families}"))?;
    check_chosen_model(model).map(|()| (family, model.to_owned()))
}

/// A second model for a family would silently replace the first.
fn each_family_once(models: &[(Family, String)]) -> anyhow::Result<()> {
    for (index, (family, model)) in models.iter().enumerate() {
        if let Some((_, before)) = models[..index].iter().find(|(of, _)| of == family) {
            anyhow::bail!("--model-for {} is given twice, as {before} and as {model}; leave one out", family.name());
        }
    }
    Ok(())
}

/// Issues a key and prints it.
pub(super) async fn issue(args: IssueArgs) -> anyhow::Result<ExitCode> {
    each_family_once(&args.model_for)?;
    for model in std::iter::once(&args.model).chain(args.model_for.iter().map(|(_, model)| model)) {
        check_in_region(model, &args.region).map_err(anyhow::Error::msg)?;
    }
    let mut env = environment(&[SecretName::Database, SecretName::KeyHasherSecret]).await?;
    let database = DatabaseConfig::read(&mut env);
    let keys = KeyConfig::read(&mut env);
    let vault = if args.bedrock_key_stdin { VaultConfig::read(&mut env) } else { None };
    let (timeouts, aws) = (TimeoutConfig::read(&mut env), AwsConfig::read(&mut env));
    env.finish()?;
    let hasher = KeyHasher::new(&keys.context("KEY_HASHER_SECRET is missing")?.hasher_secret);
    let database = Database::open(&database.context("DATABASE_URL is missing")?)?;
    let id = Uuid::new_v4();
    let bedrock_key = match vault {
        Some(vault) => {
            let http = http_client(&timeouts.context("the time-outs are missing")?)?;
            Some(seal_bedrock_key(&Vaults::open(&vault, &aws, &http)?, &hasher, id).await?)
        }
        None => None,
    };
    let has_bedrock_key = bedrock_key.is_some();
    let key = AccessKey::generate().map_err(|error| anyhow::anyhow!("the system has no randomness: {error}"))?;
    let new = NewKey {
        id,
        user: args.user,
        routing_strategy: args.routing,
        monthly_budget_usd: args.monthly_budget_usd,
        hash: hasher.hash(key.expose()),
        prefix: key.shown_prefix().to_owned(),
        region: args.region,
        model: args.model,
        family_models: args.model_for,
        bedrock_key,
    };
    database.reach().await?;
    let user_id = database.issue(&new).await.context("the key was not issued (has `migrate` been run?)")?;
    println!("{}", key.expose());
    eprintln!("access key {id} for user {:?} ({user_id}); it is shown this once and stored as a hash only", new.user);
    eprintln!(
        "Bedrock: {} in {}, {}",
        new.model,
        new.region,
        if has_bedrock_key { "key registered" } else { "no key registered, so no fallback" }
    );
    if let Some(routing) = new.routing_strategy {
        eprintln!("routing: {}, for every key of this user", routing.name());
    }
    if let Some(budget) = new.monthly_budget_usd {
        eprintln!("monthly budget for Bedrock: {budget} USD, for every key of this user");
    }
    for (family, model) in &new.family_models {
        eprintln!("Bedrock for {}: {model}", family.name());
    }
    Ok(ExitCode::SUCCESS)
}

async fn seal_bedrock_key(vault: &Vaults, hasher: &KeyHasher, id: Uuid) -> anyhow::Result<SealedBedrockKey> {
    let text = Zeroizing::new(first_line_of_stdin().context("no Bedrock key came on standard input")?);
    let key = BedrockKey::read(&text).map_err(|what| anyhow::anyhow!("the Bedrock key cannot be used: {what}"))?;
    let sealed = vault.seal(id, &key.secret).await?;
    Ok(SealedBedrockKey { sealed, hash: hasher.hash(key.secret.expose()), kind: key.kind, expires_at: key.expires_at })
}

/// The first line of standard input without its end; an empty one is an error.
pub(super) fn first_line_of_stdin() -> anyhow::Result<String> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line)?;
    let text = line.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(!text.is_empty(), "the first line is empty");
    Ok(text.to_owned())
}
