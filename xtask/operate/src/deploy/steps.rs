//! The steps of a deployment, each of which finds out by itself whether it has been done.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result};
use xtask::progress::{show, step};

use super::plan::Plan;
use crate::admin;
use crate::aws::Aws;
use crate::change_set::ChangeSet;
use crate::deployed::Deployed;
use crate::events::Events;
use crate::failure::told;
use crate::guard::stack_policy;
use crate::migration::Migration;
use crate::operation::follow;
use crate::report::failed;

/// What all steps need.
#[derive(Debug)]
pub(super) struct Steps<'a> {
    pub(super) aws: &'a Aws,
    plan: &'a Plan,
    within: Duration,
}

impl<'a> Steps<'a> {
    /// The steps of a plan, each of which may take so long.
    pub(super) fn new(aws: &'a Aws, plan: &'a Plan, within: Duration) -> Self {
        Self { aws, plan, within }
    }

    /// The stack as it is now.
    pub(super) async fn deployed(&self) -> Result<Deployed> {
        Deployed::get(self.aws).await
    }

    /// Lets AWS do what a change set says, and follows it to its end.
    pub(super) async fn apply(&self, set: Option<&ChangeSet>) -> Result<()> {
        let Some(set) = set else {
            step("done before");
            return Ok(());
        };
        let events = Events::from_now(self.aws, &set.stack).await?;
        set.execute(self.aws).await?;
        let ended = follow(self.aws, &set.stack, events, Some(&self.plan.rollout), self.within).await?;
        if ended.succeeded() { Ok(()) } else { Err(failed(self.aws, &ended)) }
    }

    /// What comes before the service: its image, and the schema that it wants. Without changes of the service there is
    /// nothing to bring.
    pub(super) async fn before(&self, update: Option<&ChangeSet>) -> Result<()> {
        let deployed = self.deployed().await?;
        let runs = deployed.image() == Some(self.plan.image.digest.as_str());
        if update.is_some() && runs {
            step("2 and 3 of 4: the service runs this image already");
            return Ok(());
        }
        step(format_args!("2 of 4: the image {}", self.plan.image.digest));
        self.plan.image.publish(self.aws, deployed.output("RepositoryUri")?).await?;
        step("3 of 4: the schema");
        let Self { aws, plan, within } = *self;
        Migration { aws, deployed: &deployed, containers: &plan.containers, back: plan.image.is_of_before(), within }
            .run()
            .await
    }

    /// Lets AWS refuse what would lose something, and the deletion of the whole.
    pub(super) async fn protect(&self, stateful: &BTreeSet<String>, allowed: &[String]) -> Result<()> {
        self.policy(stateful, allowed).await?;
        if !self.deployed().await?.protected {
            let asked = self.aws.cloudformation().update_termination_protection().stack_name(&self.aws.stack);
            let asked = asked.enable_termination_protection(true).send().await;
            asked.map_err(|error| told(error, "protect the stack against its deletion"))?;
        }
        Ok(())
    }

    /// Lets AWS refuse what would lose something.
    pub(super) async fn policy(&self, stateful: &BTreeSet<String>, allowed: &[String]) -> Result<()> {
        let policy = stack_policy(stateful, allowed).to_string();
        let asked = self.aws.cloudformation().set_stack_policy().stack_name(&self.aws.stack).stack_policy_body(policy);
        asked.send().await.map_err(|error| told(error, "protect what holds something"))?;
        Ok(())
    }

    /// What a person does after the deployment.
    pub(super) async fn what_next(&self, deployed: &Deployed) -> Result<()> {
        let domain = deployed.parameters.get("DomainName").map(String::as_str).unwrap_or_default();
        let mut lines = vec![format!("{} is deployed: https://{domain}", self.aws.stack)];
        if deployed.parameters.get("HostedZoneId").is_none_or(String::is_empty) {
            lines.push(format!("Let a CNAME of {domain} point to {}", deployed.output("LoadBalancerDnsName")?));
        }
        if admin::password_set(self.aws, &deployed.resources(self.aws).await?).await? == Some(false) {
            lines.push("Nobody can log in to the admin API yet: cargo xtask admin set-password".to_owned());
        }
        let revision = xtask::build::revision(&self.plan.source.workspace).context("cannot ask git")?;
        lines.extend(revision.map(|revision| format!("Revision {revision}")));
        show(lines.join("\n"));
        Ok(())
    }
}
