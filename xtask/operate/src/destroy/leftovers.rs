//! What is left of a deleted stack, with the commands that delete it for good.

use std::fmt::{Display, Formatter, Result};

use super::plan::Plan;
use crate::kept::{command, is_key};

/// What is left, where.
pub(super) struct Leftovers<'a> {
    pub(super) plan: &'a Plan,
    pub(super) region: &'a str,
}

impl Display for Leftovers<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        writeln!(out, "Left, and paid for. Each command below deletes one for good:")?;
        let kept = || self.plan.kept.iter();
        // Keys last: what they encrypt is gone with them.
        for kept in kept().filter(|kept| !is_key(kept)).chain(kept().filter(|kept| is_key(kept))) {
            writeln!(out, "  {}", command(kept, self.region))?;
        }
        writeln!(
            out,
            "\nUntil the secrets, the repository and the log groups are gone, or imported into a stack, their names block a new \
             deployment.\nWithout the keys nobody can read the snapshot, nor the Bedrock keys in it; without the secret \
             key-hasher-secret no access key\nof the snapshot works. A key goes 7 days after its command, which can be taken back \
             until then."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::plan;
    use super::*;

    #[test]
    fn there_is_a_command_for_everything_that_stays() {
        let plan = plan(&[("DeletionProtection", "false"), ("Waf", "on")]);
        let text = Leftovers { plan: &plan, region: "eu-west-1" }.to_string();
        assert!(!text.contains("in the console"), "{text}");
        let commands: Vec<_> = text.lines().filter(|line| line.trim_start().starts_with("aws ")).collect();
        assert_eq!(commands.len(), plan.kept.len(), "{text}");
        assert!(commands.iter().all(|command| command.contains("--region eu-west-1")), "{text}");
        let first_key = commands.iter().position(|command| command.contains("schedule-key-deletion"));
        assert!(
            commands.iter().skip(first_key.unwrap_or(0)).all(|command| command.contains("kms")),
            "keys come last: {text}"
        );
    }
}
