//! What to do about what AWS says when something cannot be made or started.

/// What reasons have in them, and the remedy.
const REMEDIES: [(&[&str], &str); 9] = [
    (
        &["already exists", "AlreadyExists", "EntityAlreadyExists"],
        "Something of this name is there, perhaps kept by an earlier deployment: delete it for good, or bring it into the stack \
         (CloudFormation's import)",
    ),
    (
        &["Circuit Breaker", "CircuitBreaker"],
        "The new tasks did not become healthy: the reason is in their log; `cargo xtask logs --since 1h` shows more of it",
    ),
    (
        &["CannotPullContainerError"],
        "The image could not be fetched: is it in the repository, for the architecture of the tasks, and can the tasks reach ECR \
         (NAT gateway, routes)?",
    ),
    (&["exec format error"], "The image is for another architecture: build it with --target, and deploy with the same"),
    (
        &["ResourceInitializationError"],
        "ECS could not prepare the task: look at the routes of the private subnets and at the execution role",
    ),
    (
        &["AccessDenied", "not authorized", "UnauthorizedOperation"],
        "`cargo xtask policy` prints what a deployer has to be allowed",
    ),
    (
        &["limit exceeded", "LimitExceeded", "quota", "maximum number of"],
        "The account has reached a limit of AWS: raise it in Service Quotas, or delete what is not used any more",
    ),
    (
        &["DELETE_FAILED", "cannot be deleted", "DeletionProtection", "deletion protection"],
        "Something refuses its deletion: `cargo xtask deploy --parameter DeletionProtection=false` lifts the stack's own protection",
    ),
    (
        &["certificate", "Certificate"],
        "Is HostedZoneId the public zone of DomainName? The certificate waits until a record in that zone is seen by everybody",
    ),
];

/// The remedy for a reason, if there is a known one.
pub(crate) fn of(reason: &str) -> Option<&'static str> {
    REMEDIES.iter().find(|(parts, _)| parts.iter().any(|part| reason.contains(part))).map(|(_, remedy)| *remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_says_has_a_remedy() {
        let said = "Resource handler returned message: \"Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.\"";
        assert!(of(said).is_some_and(|remedy| remedy.contains("log")));
        assert!(of("Secret claude-code-proxy/database already exists").is_some_and(|remedy| remedy.contains("kept")));
        assert!(of("exit code 1").is_none());
    }
}
