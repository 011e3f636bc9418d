//! What conversations come to in numbers, and that the numbers mean something.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};

use super::fate::Fate;

/// The sums over conversations.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) conversations: usize,
    /// What happened to the requests at the plan.
    pub(super) fates: BTreeMap<Fate, usize>,
    /// Requests that Bedrock served.
    pub(super) at_bedrock: usize,
    /// Rows of usage.
    pub(super) rows: usize,
    /// Requests, to either, that wanted no stream.
    pub(super) without_stream: usize,
    /// Retries that the client has reported.
    pub(super) retries: usize,
    /// Requests, to either, for the rest of an answer that was cut off.
    pub(super) continued: usize,
    /// Tools that the client ran twice.
    pub(super) repeated: usize,
}

impl Figures {
    pub(super) fn add(&mut self, other: Self) {
        self.conversations += other.conversations;
        for (fate, count) in other.fates {
            *self.fates.entry(fate).or_default() += count;
        }
        self.at_bedrock += other.at_bedrock;
        self.rows += other.rows;
        self.without_stream += other.without_stream;
        self.retries += other.retries;
        self.continued += other.continued;
        self.repeated += other.repeated;
    }

    fn at_plan(&self) -> usize {
        self.fates.values().sum()
    }

    /// That the plan was asked about most of the steps, and Bedrock about many: else little was tried.
    pub(super) fn assert_much_was_tried(&self) {
        assert!(self.at_plan() > self.conversations * 12 && self.at_bedrock > self.conversations * 4, "{self}");
    }
}

impl Display for Figures {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { conversations, at_bedrock, rows, without_stream, retries, continued, repeated, .. } = self;
        write!(out, "{conversations} conversations, {} requests at the plan (", self.at_plan())?;
        for (index, (fate, count)) in self.fates.iter().enumerate() {
            write!(out, "{}{count} {fate:?}", if index == 0 { "" } else { ", " })?;
        }
        write!(out, "), {at_bedrock} served by Bedrock, {rows} rows, {without_stream} requests without a stream, ")?;
        write!(out, "{retries} retries, {continued} requests for the rest of a cut answer, {repeated} tools run twice")
    }
}
