//! How the command ends, for pipelines: each number says what to do next.

use std::fmt::{Display, Formatter};

/// Something that shall not be done without a person's word; nothing was changed.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

/// AWS has tried, failed, and put everything back, or could not.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) String);

/// There are differences, which was the question.
#[derive(Debug)]
pub(crate) struct Differs;

/// The deployment is not as it shall be, which was the question.
#[derive(Debug)]
pub(crate) struct NotWell(pub(crate) String);

impl Display for Refused {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl Display for Failed {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl Display for Differs {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        out.write_str("the stack is not as the sources say")
    }
}

impl Display for NotWell {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        write!(out, "not well: {}", self.0)
    }
}

impl std::error::Error for Refused {}
impl std::error::Error for Failed {}
impl std::error::Error for Differs {}
impl std::error::Error for NotWell {}

/// The exit code for an error: 1, unless its chain has one of the kinds above. Clap uses 2.
pub(crate) fn code(error: &anyhow::Error) -> u8 {
    if error.is::<Refused>() {
        3
    } else if error.is::<Failed>() {
        4
    } else if error.is::<Differs>() {
        5
    } else if error.is::<NotWell>() {
        6
    } else {
        1
    }
}

/// The codes for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done, or nothing to do
  1  something went wrong that is not for AWS to put back, or took too long; the same command goes on where it stopped
  2  the command line is wrong
  3  refused: it needs --yes, or --allow-replacement
  4  AWS could not do it and has put everything back, as far as it could
  5  there are differences (diff --exit-code)
  6  the deployment is not well (status)
130  interrupted; what AWS was told goes on, and the same command takes it up again";
