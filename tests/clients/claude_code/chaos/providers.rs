//! The plan, to which things happen, and Bedrock, which always serves and keeps the books that the rows are held against.

use std::fmt::{Arguments, Display, Formatter};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use support::{Answer, RecordedRequest, Reply, Upstream, Usage, frames};

use super::dice::Dice;
use super::fate::Fate;
use super::story::{self, ToolResult};

/// What has happened in a conversation; shared by both providers and the test.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal(Arc<Mutex<Entries>>);

/// The entries, in the order of the requests.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) plan: Vec<AtPlan>,
    pub(super) bedrock: Vec<AtBedrock>,
    /// The results that the last request brought.
    pub(super) last: Vec<ToolResult>,
    /// Requests that asked for the rest of an answer that was cut off.
    pub(super) continued: usize,
    /// Requests that wanted no stream.
    pub(super) without_stream: usize,
    /// Everything, for people.
    lines: Vec<String>,
}

/// A request that reached the plan.
#[derive(Debug)]
pub(super) struct AtPlan {
    pub(super) step: usize,
    pub(super) fate: Fate,
}

/// A request that reached Bedrock, and the answer to it.
#[derive(Debug)]
pub(super) struct AtBedrock {
    pub(super) id: String,
    pub(super) usage: Usage,
    /// Whether all of the answer has been handed out.
    pub(super) in_full: bool,
}

impl Journal {
    pub(super) fn entries(&self) -> MutexGuard<'_, Entries> {
        // The entries of a conversation that has failed are wanted most.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes two upstreams the providers of a conversation.
    pub(super) fn keep(&self, dice: Dice, plan: &Upstream, bedrock: &Upstream) {
        let journal = self.clone();
        plan.otherwise(move |request| journal.at_plan(dice, request));
        let journal = self.clone();
        bedrock.otherwise(move |request| journal.at_bedrock(dice, request));
    }

    fn at_plan(&self, dice: Dice, request: &RecordedRequest) -> Reply {
        if request.path() != "/v1/messages" {
            return Reply::plan_error(404, "not_found_error", "There is nothing else here.");
        }
        let stream = request.json()["stream"] == true;
        let mut entries = self.entries();
        let step = entries.begins(request);
        let attempt = entries.plan.iter().filter(|entry| entry.step == step).count();
        let fate = Fate::drawn(dice, step, attempt);
        let number = entries.plan.len();
        entries.note(step, format_args!("plan    {fate:?}"), stream);
        entries.plan.push(AtPlan { step, fate });
        fate.reply(&story::answer(dice, step).with_id(format!("msg_plan_{number:03}")), stream)
    }

    fn at_bedrock(&self, dice: Dice, request: &RecordedRequest) -> Reply {
        let stream = request.path().ends_with("/invoke-with-response-stream");
        let mut entries = self.entries();
        let step = entries.begins(request);
        let number = entries.bedrock.len();
        let id = format!("msg_bdrk_{number:03}");
        let usage = tokens(number as u64);
        entries.note(step, format_args!("Bedrock {id}"), stream);
        entries.bedrock.push(AtBedrock { id: id.clone(), usage, in_full: !stream });
        let answer = story::answer(dice, step).with_id(id).with_usage(usage);
        if stream { self.counted(&answer, number) } else { Reply::bedrock_json(&answer) }
    }

    /// The stream of an answer, which is noted as sent when its last frame goes out.
    fn counted(&self, answer: &Answer, number: usize) -> Reply {
        let (journal, frames) = (self.clone(), frames::bedrock_stream(answer));
        let last = frames.len() - 1;
        let noted = stream::iter(frames).enumerate().map(move |(index, frame): (usize, Bytes)| {
            if index == last {
                journal.entries().bedrock[number].in_full = true;
            }
            frame
        });
        Reply::streamed(noted).as_bedrock_stream()
    }
}

impl Entries {
    /// Notes that a request has come, and tells how many steps are done by then.
    fn begins(&mut self, request: &RecordedRequest) -> usize {
        self.last = story::results(request);
        self.continued += usize::from(story::wants_the_rest(request));
        story::done(&self.last)
    }

    fn note(&mut self, step: usize, what: Arguments<'_>, stream: bool) {
        self.lines.push(format!("step {step:2} {what}{}", if stream { "" } else { ", without a stream" }));
        self.without_stream += usize::from(!stream);
    }
}

impl Display for Journal {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        self.entries().lines.iter().try_for_each(|line| writeln!(out, "    {line}"))
    }
}

/// Counts that no other answer has.
fn tokens(number: u64) -> Usage {
    Usage {
        input: 1000 + number,
        output: 2000 + 3 * number,
        cache_read: 30_000 + 5 * number,
        cache_creation_5m: 400 + 7 * number,
        cache_creation_1h: 50 + 11 * number,
    }
}
