//! `cargo xtask policy`: what a deployer has to be allowed, as policies of IAM; and whom a role trusts.

#[cfg(test)]
mod coverage;
mod deployer;
mod document;
mod made;
mod names;
mod reader;
mod trust;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value as Json};
use xtask::progress::{loud, step};

use crate::aws::{Aws, Where};
use crate::stdout::print;
use names::Names;
use trust::Trusted;

/// The options of the verb.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Allowed are `build --push` and all verbs that speak to AWS, and what CloudFormation does in the
deployer's name. What has a name is allowed by its name; --account, --region and --hosted-zone
narrow the rest. A managed policy takes 6,144 characters, so there are several; a role takes all:
  cargo xtask policy --part 1 > deployer-1.json
  aws iam create-policy --policy-name deployer-of-claude-code-proxy-1 \\
    --policy-document file://deployer-1.json

A role for the workflows of a repository, which log in without a key (OIDC):
  cargo xtask policy --trust github OWNER/REPO > trust.json
  aws iam create-role --role-name deployer-of-claude-code-proxy \\
    --assume-role-policy-document file://trust.json")]
pub(crate) struct Arguments {
    /// What `diff`, `status` and `logs` need, which write nothing; with --trust: pull requests of the repository
    #[arg(long)]
    read_only: bool,
    /// Print this policy alone, as IAM takes it
    #[arg(long, value_name = "NUMBER", conflicts_with = "trust")]
    part: Option<usize>,
    /// The account; without it any, or for --trust that of the credentials
    #[arg(long, value_name = "NUMBER", value_parser = account)]
    account: Option<String>,
    /// The zone in which records are made; without it any
    #[arg(long, value_name = "ID")]
    hosted_zone: Option<String>,
    /// Print the trust policy of a role in place of what it is allowed; the provider is `github`
    #[arg(long, num_args = 2, value_names = ["PROVIDER", "OWNER/REPO"])]
    trust: Option<Vec<String>>,
    /// With --trust: the branch that deploys
    #[arg(long, default_value = "main", requires = "trust")]
    branch: String,
}

/// Prints; asks AWS nothing but, for --trust without --account, which account this is.
pub(crate) async fn run(place: &Where, arguments: &Arguments) -> Result<()> {
    let names = Names::new(place, arguments.account.as_deref(), arguments.hosted_zone.as_deref())?;
    if let Some(trust) = &arguments.trust {
        let trusted = Trusted::parse(&trust[0], &trust[1], &arguments.branch, arguments.read_only)?;
        if let Some(account) = &arguments.account {
            return show(&trusted.document(names.partition, account));
        }
        let aws = Aws::open(place).await?;
        let identity = aws.identity().await.context("--account saves the question")?;
        return show(&trusted.document(&identity.partition, &identity.account));
    }
    let (kind, statements) = if arguments.read_only {
        ("reader", reader::statements(&names))
    } else {
        ("deployer", deployer::statements(&names))
    };
    let documents = document::pack(&statements);
    if let Some(part) = arguments.part {
        let count = documents.len();
        let found = part.checked_sub(1).and_then(|at| documents.into_iter().nth(at));
        return show(&found.with_context(|| format!("there are {count} parts: --part 1 to {count}"))?);
    }
    if let [only] = &documents[..] {
        return show(only);
    }
    step(format_args!(
        "{} policies; --part NUMBER prints one as IAM takes it, and a role needs them all",
        documents.len()
    ));
    if place.region().is_none() || arguments.account.is_none() {
        loud("what has no name is allowed in every region or account: --region and --account narrow it");
    }
    let numbered = |(at, document)| (format!("{}-{kind}-{}", names.stack, at + 1), document);
    show(&Json::Object(documents.into_iter().enumerate().map(numbered).collect::<Map<_, _>>()))
}

fn show(document: &Json) -> Result<()> {
    print(&serde_json::to_string_pretty(document)?)?;
    Ok(())
}

fn account(text: &str) -> Result<String> {
    ensure!(text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()), "an account has 12 digits");
    Ok(text.to_owned())
}
