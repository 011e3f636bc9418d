//! Change sets: what AWS would do, before it does it.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{
    Capability, ChangeAction, ChangeSetStatus, ChangeSetType, Parameter, Replacement, RollbackConfiguration,
    RollbackTrigger, Tag,
};
use tokio::time::timeout;

use crate::aws::Aws;
use crate::deployed::{Deployed, Phase};
use crate::failure::told;
use crate::settings::Values;

const MADE_WITHIN: Duration = Duration::from_mins(10);

/// What is wished for.
#[derive(Clone, Debug)]
pub(crate) struct Wish<'a> {
    /// Whether the stack has still to be made.
    pub(crate) fresh: bool,
    /// The template: its address in S3, or its text.
    pub(crate) template: &'a Template,
    /// Every parameter that has not its default.
    pub(crate) parameters: &'a Values,
    /// What AWS wants acknowledged.
    pub(crate) capabilities: Vec<&'static str>,
    /// ARNs of alarms that undo an update, and how many minutes after it they still do.
    pub(crate) triggers: (&'a [String], i32),
}

/// Where a template is.
#[derive(Clone, Debug)]
pub(crate) enum Template {
    /// Its text, which goes with the call.
    Text(String),
    /// Its address in S3.
    Url(String),
}

/// A change set that can be executed.
#[derive(Clone, Debug)]
pub(crate) struct ChangeSet {
    /// Its name.
    pub(crate) name: String,
    id: String,
    /// The stack's ARN.
    pub(crate) stack: String,
    /// Logical ids of what is made anew.
    pub(crate) replaced: Vec<String>,
    /// Logical ids of what may be made anew.
    pub(crate) uncertain: Vec<String>,
    /// All logical ids, with what AWS does about them.
    pub(crate) actions: Vec<(String, ChangeAction)>,
}

impl ChangeSet {
    /// Lets AWS find out what it would do; nothing where there is nothing to do.
    pub(crate) async fn create(aws: &Aws, wish: &Wish<'_>) -> Result<Option<Self>> {
        let name = format!("deploy-{}", chrono::Utc::now().format("%Y%m%d-%H%M%S-%3f"));
        let pairs = wish.parameters.iter();
        let parameters =
            pairs.map(|(name, value)| Parameter::builder().parameter_key(name).parameter_value(value).build());
        let mut asked = aws
            .cloudformation()
            .create_change_set()
            .stack_name(&aws.stack)
            .change_set_name(&name)
            .change_set_type(if wish.fresh { ChangeSetType::Create } else { ChangeSetType::Update })
            .set_parameters(Some(parameters.collect()))
            .set_capabilities(Some(wish.capabilities.iter().map(|name| Capability::from(*name)).collect()))
            .tags(Tag::builder().key("project").value(stack::proxy_stack::NAME).build())
            .rollback_configuration(rollback(wish.triggers));
        asked = match wish.template {
            Template::Text(text) => asked.template_body(text),
            Template::Url(url) => asked.template_url(url),
        };
        let made = asked.send().await.map_err(|error| told(error, "ask AWS what it would do"))?;
        let id = made.id.context("AWS names no change set")?;
        let stack = made.stack_id.context("AWS names no stack")?;
        let described = timeout(MADE_WITHIN, made_at_last(aws, &id)).await;
        let described = described.unwrap_or_else(|_| Err(anyhow!("AWS has not found out what it would do; try again")));
        let pages = match described {
            Ok(Some(pages)) => pages,
            // Neither a change set that says nothing nor one that cannot be is left behind.
            Ok(None) => return delete(aws, &stack, &id).await.map(|()| None),
            Err(error) => return delete(aws, &stack, &id).await.and(Err(error)),
        };
        let mut set = Self { name, id, stack, replaced: Vec::new(), uncertain: Vec::new(), actions: Vec::new() };
        for change in pages.into_iter().flat_map(|page| page.changes.unwrap_or_default()) {
            let Some(change) = change.resource_change else { continue };
            let Some(id) = change.logical_resource_id else { continue };
            match change.replacement {
                Some(Replacement::True) => set.replaced.push(id.clone()),
                Some(Replacement::Conditional) => set.uncertain.push(id.clone()),
                _ => {}
            }
            set.actions.push((id, change.action.unwrap_or(ChangeAction::Dynamic)));
        }
        Ok(Some(set))
    }

    /// Lets AWS do it. What it makes and cannot finish it takes away again, whatever is to be kept later.
    pub(crate) async fn execute(&self, aws: &Aws) -> Result<()> {
        let asked =
            aws.cloudformation().execute_change_set().change_set_name(&self.id).client_request_token(&self.name);
        let asked = asked.retain_except_on_create(true).send().await;
        asked.map_err(|error| told(error, "let AWS begin"))?;
        Ok(())
    }

    /// Forgets it.
    pub(crate) async fn delete(&self, aws: &Aws) -> Result<()> {
        delete(aws, &self.stack, &self.id).await
    }
}

/// Deletes a change set, and the empty stack that AWS has made for it, unless somebody has other change sets of it.
async fn delete(aws: &Aws, stack: &str, id: &str) -> Result<()> {
    let cloudformation = aws.cloudformation();
    let asked = cloudformation.delete_change_set().change_set_name(id).send().await;
    asked.map_err(|error| told(error, "delete the change set"))?;
    let draft = Deployed::find(aws, stack).await?.is_some_and(|stack| stack.phase() == Phase::Draft);
    if draft {
        let others = cloudformation.list_change_sets().stack_name(stack).send().await;
        let others = others.map_err(|error| told(error, "list the change sets"))?;
        if others.summaries().iter().all(|other| other.change_set_id() == Some(id)) {
            let asked = cloudformation.delete_stack().stack_name(stack).send().await;
            asked.map_err(|error| told(error, "delete the empty stack"))?;
        }
    }
    Ok(())
}

fn rollback((triggers, minutes): (&[String], i32)) -> RollbackConfiguration {
    // An empty list takes away what was set before.
    let triggers =
        triggers.iter().map(|arn| RollbackTrigger::builder().arn(arn).r#type("AWS::CloudWatch::Alarm").build());
    let triggers: Vec<_> = triggers.collect();
    let minutes = if triggers.is_empty() { 0 } else { minutes };
    RollbackConfiguration::builder().set_rollback_triggers(Some(triggers)).monitoring_time_in_minutes(minutes).build()
}

/// All pages of the change set when it is made; nothing where it would change nothing.
async fn made_at_last(aws: &Aws, id: &str) -> Result<Option<Vec<DescribeChangeSetOutput>>> {
    loop {
        let page = page(aws, id, None).await?;
        let reason = page.status_reason.as_deref().unwrap_or_default();
        match &page.status {
            Some(ChangeSetStatus::CreateComplete) => {
                let mut next = page.next_token.clone();
                let mut pages = vec![page];
                while let Some(token) = next.take() {
                    let page = self::page(aws, id, Some(token)).await?;
                    next.clone_from(&page.next_token);
                    pages.push(page);
                }
                return Ok(Some(pages));
            }
            Some(ChangeSetStatus::Failed) if is_empty(reason) => return Ok(None),
            Some(ChangeSetStatus::Failed) => bail!("AWS cannot do it: {reason}"),
            _ => tokio::time::sleep(aws.look_every()).await,
        }
    }
}

async fn page(aws: &Aws, id: &str, token: Option<String>) -> Result<DescribeChangeSetOutput> {
    let asked = aws.cloudformation().describe_change_set().change_set_name(id).set_next_token(token);
    asked.send().await.map_err(|error| told(error, "read what AWS would do"))
}

fn is_empty(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}
