//! The groups of tests: their names and what each of them needs.

use std::fmt::{Display, Formatter};

/// A part of the tests, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Group {
    /// The small tests in the files that they test
    Unit,
    /// The generated files are fresh
    PrepareCheck,
    /// The app against PostgreSQL and scripted upstreams
    It,
    /// The app against moto, which plays the services of AWS
    Aws,
    /// The bill after a minute of load during which everything goes wrong
    Chaos,
    /// The documents of the API, under tools of others that read them: linters, generators, a fuzzer, a browser
    Contract,
    /// The app under the real clients
    Clients,
    /// What the real client sends to Bedrock by itself and through the app is the same
    Yardstick,
    /// The infrastructure, against what AWS publishes about it
    Stack,
    /// Deployments, in an AWS on this machine
    Deploy,
    /// The image that `cargo xtask build` makes, in a registry and as a container
    Image,
    /// No part of the proxy takes noticeably more instructions than the committed counts say
    Instructions,
    /// A minute of mixed traffic with faults loses no usage, no memory and no descriptors
    Soak,
    /// No secret of the tests is in any of their logs
    Secrets,
}

impl Group {
    /// All groups.
    pub(super) const ALL: [Self; 14] = [
        Self::Unit,
        Self::PrepareCheck,
        Self::It,
        Self::Aws,
        Self::Chaos,
        Self::Contract,
        Self::Clients,
        Self::Yardstick,
        Self::Stack,
        Self::Deploy,
        Self::Image,
        Self::Instructions,
        Self::Soak,
        Self::Secrets,
    ];

    /// The name on the command line and in the summary.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::PrepareCheck => "prepare-check",
            Self::It => "it",
            Self::Aws => "aws",
            Self::Chaos => "chaos",
            Self::Contract => "contract",
            Self::Clients => "clients",
            Self::Yardstick => "yardstick",
            Self::Stack => "stack",
            Self::Deploy => "deploy",
            Self::Image => "image",
            Self::Instructions => "instructions",
            Self::Soak => "soak",
            Self::Secrets => "secrets",
        }
    }

    /// Whether a server must run. The groups `chaos` and `soak` start one that they may stop.
    pub(super) fn needs_database(self) -> bool {
        matches!(
            self,
            Self::PrepareCheck | Self::It | Self::Aws | Self::Contract | Self::Clients | Self::Yardstick | Self::Image
        )
    }

    /// Whether the programs must be built.
    pub(super) fn needs_programs(self) -> bool {
        matches!(self, Self::It | Self::Aws | Self::Chaos | Self::Clients | Self::Soak)
    }

    /// Whether it consists of tests or cases with names.
    pub(super) fn takes_filters(self) -> bool {
        !matches!(self, Self::PrepareCheck | Self::Instructions | Self::Soak | Self::Secrets)
    }
}

impl Display for Group {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn the_command_line_uses_the_same_names() {
        for group in Group::ALL {
            let name = group.to_possible_value().map(|value| value.get_name().to_owned());
            assert_eq!(name.as_deref(), Some(group.name()));
        }
    }
}
