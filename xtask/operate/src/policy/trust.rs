//! Whom a role trusts: workflows of one repository, by OIDC, without any key that could be lost.

use anyhow::{Result, bail, ensure};
use serde_json::{Value as Json, json};

/// Who vouches for workflows of GitHub.
const ISSUER: &str = "token.actions.githubusercontent.com";

/// The workflows.
pub(super) struct Trusted {
    /// What GitHub says that the workflow is.
    subject: String,
}

impl Trusted {
    /// Those on a branch, or those on pull requests.
    pub(super) fn parse(provider: &str, repository: &str, branch: &str, pull_requests: bool) -> Result<Self> {
        if provider != "github" {
            bail!("{provider:?} is not known; give --trust github OWNER/REPO");
        }
        let proper = |part: &str| {
            !part.is_empty() && part.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.'))
        };
        let parts: Vec<_> = repository.split('/').collect();
        ensure!(
            parts.len() == 2 && parts.iter().all(|part| proper(part)),
            "{repository:?} is no repository: give OWNER/REPO"
        );
        // An asterisk would let every branch deploy.
        let is_branch = !branch.is_empty() && !branch.contains(['*', '?', ' ']);
        ensure!(is_branch, "{branch:?} is no branch");
        let end = if pull_requests { "pull_request".to_owned() } else { format!("ref:refs/heads/{branch}") };
        Ok(Self { subject: format!("repo:{repository}:{end}") })
    }

    /// The trust policy of a role.
    pub(super) fn document(&self, partition: &str, account: &str) -> Json {
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Federated": format!("arn:{partition}:iam::{account}:oidc-provider/{ISSUER}") },
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": { "StringEquals": {
                    format!("{ISSUER}:aud"): "sts.amazonaws.com",
                    format!("{ISSUER}:sub"): self.subject,
                } },
            }],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_branch_deploys_and_pull_requests_look() -> Result<()> {
        let subject = |read_only| -> Result<Json> {
            let trusted = Trusted::parse("github", "example/proxy", "main", read_only)?;
            let condition =
                trusted.document("aws", "123456789012")["Statement"][0]["Condition"]["StringEquals"].clone();
            Ok(condition[format!("{ISSUER}:sub")].clone())
        };
        assert_eq!(subject(false)?, "repo:example/proxy:ref:refs/heads/main");
        assert_eq!(subject(true)?, "repo:example/proxy:pull_request");
        Ok(())
    }

    #[test]
    fn nobody_else_is_trusted_by_mistake() {
        for (provider, repository, branch) in [
            ("gitlab", "example/proxy", "main"),
            ("github", "example", "main"),
            ("github", "example/*", "main"),
            ("github", "a/b/c", "main"),
            ("github", "/proxy", "main"),
            ("github", "example/proxy", "*"),
        ] {
            assert!(Trusted::parse(provider, repository, branch, false).is_err(), "{provider} {repository} {branch}");
        }
    }
}
