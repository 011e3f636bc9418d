//! The architectures that an image can be for.

use std::env::consts::ARCH;

use anyhow::{Result, bail};

/// An architecture, always with Linux and musl.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Target {
    /// Intel and AMD
    #[value(name = "x86_64", alias = "amd64")]
    X86_64,
    /// ARM, such as AWS Graviton
    #[value(name = "aarch64", alias = "arm64")]
    Aarch64,
}

impl Target {
    /// This machine's, whatever its system: what is built runs on Linux.
    pub fn host() -> Result<Self> {
        match ARCH {
            "x86_64" => Ok(Self::X86_64),
            "aarch64" => Ok(Self::Aarch64),
            other => {
                bail!("there are no images for this machine's architecture, {other}; give --target x86_64 or aarch64")
            }
        }
    }

    /// The name on the command line and of the folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// What rustc calls it.
    pub(super) fn triple(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-musl",
            Self::Aarch64 => "aarch64-unknown-linux-musl",
        }
    }

    /// What images call it.
    pub(super) fn oci(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }

    /// What binaries call it (`e_machine`).
    pub(super) fn machine(self) -> u16 {
        match self {
            Self::X86_64 => 62,
            Self::Aarch64 => 183,
        }
    }
}
