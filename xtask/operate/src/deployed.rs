//! The stack as AWS has it: its state, its parameters and outputs, its template and its resources.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use aws_sdk_cloudformation::types::{StackStatus, TemplateStage};

use crate::aws::Aws;
use crate::failure::{is_missing, told};
use crate::settings::Values;

/// The stack.
#[derive(Clone, Debug)]
pub(crate) struct Deployed {
    /// Its ARN, by which it is found even after its end.
    pub(crate) id: String,
    /// Its state.
    pub(crate) status: StackStatus,
    /// Why it is in this state, if AWS says so.
    pub(crate) reason: Option<String>,
    /// All its parameters.
    pub(crate) parameters: Values,
    /// What it tells others.
    pub(crate) outputs: BTreeMap<String, String>,
    /// Whether AWS refuses to delete it.
    pub(crate) protected: bool,
}

/// What can be done with a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// There is a change set that was never executed, and nothing else.
    Draft,
    /// It can be changed.
    Steady,
    /// Something is under way.
    Working,
    /// Its creation has failed: it can only be deleted.
    Stillborn,
    /// AWS could not put back what was before, or not delete everything.
    Stuck,
}

/// A resource of the stack.
#[derive(Clone, Debug)]
pub(crate) struct Physical {
    /// The name that AWS gave it.
    pub(crate) id: String,
    /// AWS's name of the type.
    pub(crate) type_name: String,
}

impl Deployed {
    /// The stack of this name or ARN, if there is one.
    pub(crate) async fn find(aws: &Aws, name: &str) -> Result<Option<Self>> {
        let answer = match aws.cloudformation().describe_stacks().stack_name(name).send().await {
            Ok(answer) => answer,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(told(error, "ask for the stack")),
        };
        let stack = answer.stacks.unwrap_or_default().into_iter().next().context("AWS describes no stack")?;
        let pairs = stack.parameters.unwrap_or_default().into_iter();
        let outputs = stack.outputs.unwrap_or_default().into_iter();
        Ok(Some(Self {
            id: stack.stack_id.context("AWS names no id of the stack")?,
            status: stack.stack_status.context("AWS names no state of the stack")?,
            reason: stack.stack_status_reason,
            parameters: pairs.filter_map(|pair| Some((pair.parameter_key?, pair.parameter_value?))).collect(),
            outputs: outputs.filter_map(|output| Some((output.output_key?, output.output_value?))).collect(),
            protected: stack.enable_termination_protection.unwrap_or_default(),
        }))
    }

    /// The same, where there has to be one.
    pub(crate) async fn get(aws: &Aws) -> Result<Self> {
        let found = Self::find(aws, &aws.stack).await?;
        found.with_context(|| {
            format!(
                "there is no stack {:?} in {}: `cargo xtask deploy` makes it, --stack and --region name another",
                aws.stack, aws.region
            )
        })
    }

    /// What can be done with it.
    pub(crate) fn phase(&self) -> Phase {
        match &self.status {
            StackStatus::ReviewInProgress => Phase::Draft,
            StackStatus::RollbackComplete | StackStatus::RollbackFailed | StackStatus::CreateFailed => Phase::Stillborn,
            StackStatus::UpdateRollbackFailed
            | StackStatus::DeleteFailed
            | StackStatus::UpdateFailed
            | StackStatus::ImportRollbackFailed => Phase::Stuck,
            status if status.as_str().ends_with("_IN_PROGRESS") => Phase::Working,
            _ => Phase::Steady,
        }
    }

    /// The digest of the image that it runs, if it runs one.
    pub(crate) fn image(&self) -> Option<&str> {
        self.parameters.get("ImageDigest").map(String::as_str).filter(|digest| !digest.is_empty())
    }

    /// An output that every version of our stack has.
    pub(crate) fn output(&self, name: &str) -> Result<&str> {
        let Some(value) = self.outputs.get(name) else {
            bail!("the stack has no output {name}: was it made by something else than `cargo xtask deploy`?");
        };
        Ok(value)
    }

    /// The template that it was made from, as it was sent.
    pub(crate) async fn template(&self, aws: &Aws) -> Result<String> {
        let asked = aws.cloudformation().get_template().stack_name(&self.id).template_stage(TemplateStage::Original);
        let answer = asked.send().await.map_err(|error| told(error, "read the deployed template"))?;
        answer.template_body.context("AWS has no template of the stack")
    }

    /// Its resources by logical id.
    pub(crate) async fn resources(&self, aws: &Aws) -> Result<BTreeMap<String, Physical>> {
        let mut pages = aws.cloudformation().list_stack_resources().stack_name(&self.id).into_paginator().send();
        let mut resources = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| told(error, "list the resources of the stack"))?;
            for summary in page.stack_resource_summaries.unwrap_or_default() {
                if let (Some(logical), Some(id), Some(type_name)) =
                    (summary.logical_resource_id, summary.physical_resource_id, summary.resource_type)
                {
                    resources.insert(logical, Physical { id, type_name });
                }
            }
        }
        Ok(resources)
    }
}
