//! What outlives a stack, under names that the next one wants.

use anyhow::Result;

use crate::aws::Aws;
use crate::changes::Snapshot;
use crate::failure::{is_missing, told};

/// A resource that outlives the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// AWS's name of the type.
    pub(crate) type_name: String,
    /// The name that AWS gave it.
    pub(crate) id: String,
    /// Whether it goes, and a snapshot of it stays.
    pub(crate) snapshot: bool,
}

/// What is there under the names that a stack gives to what it keeps: secrets, log groups, repositories.
pub(crate) async fn found(aws: &Aws, snapshot: &Snapshot) -> Result<Vec<Kept>> {
    let mut found = Vec::new();
    for (type_name, name) in names(snapshot) {
        let there = match type_name.as_str() {
            "AWS::SecretsManager::Secret" => secret(aws, &name).await?,
            "AWS::Logs::LogGroup" => log_group(aws, &name).await?,
            "AWS::ECR::Repository" => repository(aws, &name).await?,
            _ => false,
        };
        if there {
            found.push(Kept { type_name, id: name, snapshot: false });
        }
    }
    Ok(found)
}

/// The names that the template fixes, of what stays when the stack goes.
fn names(snapshot: &Snapshot) -> Vec<(String, String)> {
    let kept = snapshot.resources.values().filter(|resource| resource.body["DeletionPolicy"] == "Retain");
    kept.filter_map(|resource| {
        let properties = &resource.body["Properties"];
        let name = ["Name", "LogGroupName", "RepositoryName"].iter().find_map(|name| properties[*name].as_str());
        Some((resource.type_name.clone(), name?.to_owned()))
    })
    .collect()
}

async fn secret(aws: &Aws, name: &str) -> Result<bool> {
    match aws.secrets().describe_secret().secret_id(name).send().await {
        Ok(_) => Ok(true),
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) => Err(told(error, "look for secrets that an earlier deployment has left")),
    }
}

async fn log_group(aws: &Aws, name: &str) -> Result<bool> {
    let answer = aws.logs().describe_log_groups().log_group_name_prefix(name).send().await;
    let answer = answer.map_err(|error| told(error, "look for log groups that an earlier deployment has left"))?;
    Ok(answer.log_groups().iter().any(|group| group.log_group_name() == Some(name)))
}

async fn repository(aws: &Aws, name: &str) -> Result<bool> {
    match aws.ecr().describe_repositories().repository_names(name).send().await {
        Ok(_) => Ok(true),
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) => Err(told(error, "look for a repository that an earlier deployment has left")),
    }
}

/// Whether it is a key, which goes last: what it encrypts is gone with it.
pub(crate) fn is_key(kept: &Kept) -> bool {
    kept.type_name == "AWS::KMS::Key"
}

/// The commands that delete them for good, a line each, indented.
pub(crate) fn commands(kept: &[Kept], region: &str) -> String {
    kept.iter().map(|kept| format!("  {}", command(kept, region))).collect::<Vec<_>>().join("\n")
}

/// The command that deletes it for good.
pub(crate) fn command(kept: &Kept, region: &str) -> String {
    let id = &kept.id;
    match (kept.type_name.as_str(), kept.snapshot) {
        ("AWS::SecretsManager::Secret", _) => {
            format!(
                "aws secretsmanager delete-secret --region {region} --force-delete-without-recovery --secret-id {id}"
            )
        }
        ("AWS::KMS::Key", _) => {
            format!("aws kms schedule-key-deletion --region {region} --pending-window-in-days 7 --key-id {id}")
        }
        ("AWS::ECR::Repository", _) => {
            format!("aws ecr delete-repository --region {region} --force --repository-name {id}")
        }
        ("AWS::Logs::LogGroup", _) => format!("aws logs delete-log-group --region {region} --log-group-name {id}"),
        ("AWS::RDS::DBCluster", true) => format!(
            // The newest is the one that the deletion has made; others may be somebody's.
            "aws rds delete-db-cluster-snapshot --region {region} --db-cluster-snapshot-identifier \
             $(aws rds describe-db-cluster-snapshots --region {region} --db-cluster-identifier {id} --snapshot-type manual \
             --query 'sort_by(DBClusterSnapshots, &SnapshotCreateTime)[-1].DBClusterSnapshotIdentifier' --output text)"
        ),
        (type_name, true) => format!("# the snapshots of {type_name} {id}, in the console"),
        (type_name, false) => format!("# {type_name} {id}, in the console"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_block_a_new_stack_are_known() -> Result<()> {
        let template = stack::proxy_stack::proxy_stack().synth()?.json;
        let snapshot = Snapshot::new(&template, &crate::settings::Values::new())?;
        let names: Vec<_> = names(&snapshot).into_iter().map(|(_, name)| name).collect();
        for name in ["claude-code-proxy", "claude-code-proxy/key-hasher-secret", "/ecs/claude-code-proxy"] {
            assert!(names.iter().any(|known| known == name), "{name} is not in {names:?}");
        }
        Ok(())
    }
}
