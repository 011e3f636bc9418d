//! Follows one request from its arrival to the end of its answer, and then says once, in the log and to the
//! recorder, how it went. Being dropped in the middle is an end too: the client left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tracing::Span;
use uuid::Uuid;

use super::attempts::Attempts;
use super::{AnswerReader, Recorder, UsageMerge, estimate};
use crate::domain::{
    ClientPrincipal, DROPPED_LENGTH, FallbackReason, Outcome, Provider, ProviderError, Route, TokenUsage, UsageRecord,
};
use crate::telemetry::{self, counters};

/// What is known of a request when its key has been checked.
#[derive(Clone, Debug)]
pub struct RequestFacts {
    /// The proxy's own id.
    pub request_id: Uuid,
    /// When it arrived, by the monotonic clock.
    pub arrived: Instant,
    /// When it arrived, by the calendar.
    pub timestamp: DateTime<Utc>,
    /// Route template or name of the operation; never a raw path.
    pub operation: &'static str,
    /// The model that was asked for; empty until the body has been read, and where it names none.
    pub model: String,
    /// Claude Code's session.
    pub session_id: Option<String>,
    /// Claude Code's subagent.
    pub agent_id: Option<String>,
    /// How long its body took to come, which is the client's time and not the proxy's.
    pub uploading: Duration,
}

/// Who answers, as far as it is decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Served {
    /// Who answers.
    pub provider: Provider,
    /// Why it is not the plan.
    pub fallback: Option<FallbackReason>,
}

/// The meter of one request.
#[derive(Debug)]
pub struct RequestMeter {
    facts: RequestFacts,
    principal: Arc<ClientPrincipal>,
    recorder: Recorder,
    span: Span,
    served: Option<Served>,
    /// Who may have counted tokens for it, which need not be who answers in the end.
    metered: Option<Served>,
    upstream_model: String,
    /// The request, until its tokens are known.
    prompt: Bytes,
    status: u16,
    circuit: &'static str,
    dropped: Option<String>,
    attempts: Attempts,
    first_byte: Option<Duration>,
    usage: UsageMerge,
    /// Reads along while the answer passes; for the plan only, whose bytes nobody else looks at.
    reader: Option<Box<AnswerReader>>,
    outcome: Outcome,
    /// Whether the record has been written, which it is once.
    recorded: bool,
}

impl RequestMeter {
    /// Begins to follow a request, in the current span.
    pub fn start(facts: RequestFacts, principal: Arc<ClientPrincipal>, recorder: Recorder) -> Self {
        Self {
            facts,
            principal,
            recorder,
            span: Span::current(),
            served: None,
            metered: None,
            upstream_model: String::new(),
            prompt: Bytes::new(),
            status: 0,
            circuit: "closed",
            dropped: None,
            attempts: Attempts::default(),
            first_byte: None,
            usage: UsageMerge::default(),
            reader: None,
            outcome: Outcome::Cancelled,
            recorded: false,
        }
    }

    /// The plan is about to answer.
    pub fn asks_plan(&mut self) {
        self.attempts.begin(Provider::Plan, false);
        self.served = Some(Served { provider: Provider::Plan, fallback: None });
    }

    /// The plan's answer is metered too, unless Bedrock may have counted something for the same request: there is one row
    /// for a request, and what costs money comes first.
    pub fn meters_plan(&mut self, reader: impl FnOnce() -> AnswerReader) {
        if self.metered.is_none() {
            self.metered = Some(Served { provider: Provider::Plan, fallback: None });
            self.reader = Some(Box::new(reader()));
        }
    }

    /// This model of Bedrock is about to answer this request. From now on tokens may be counted there, whoever answers in
    /// the end.
    pub fn asks_bedrock(&mut self, fallback: Option<FallbackReason>, model: &str, prompt: &Bytes) {
        self.asks_bedrock_to_count(fallback);
        model.clone_into(&mut self.upstream_model);
        self.prompt.clone_from(prompt);
        self.metered = self.served;
    }

    /// Bedrock is about to count tokens, which it does for nothing.
    pub fn asks_bedrock_to_count(&mut self, fallback: Option<FallbackReason>) {
        self.attempts.begin(Provider::Bedrock, fallback.is_some());
        self.served = Some(Served { provider: Provider::Bedrock, fallback });
    }

    /// Bedrock refused the request, so nothing was counted there.
    pub fn was_refused(&mut self) {
        self.metered = None;
        self.prompt = Bytes::new();
    }

    /// Bedrock takes nothing for what it is asked, whatever comes of it.
    pub fn is_free(&mut self) {
        self.metered = None;
    }

    /// Whether any tokens have been seen.
    pub fn has_counts(&self) -> bool {
        self.usage.tokens().total() > 0
    }

    /// Who was asked last.
    pub fn served(&self) -> Option<Served> {
        self.served
    }

    /// The status that the client is told.
    pub fn answers(&mut self, status: u16) {
        self.attempts.relays();
        self.status = status;
    }

    /// The state of the plan's breaker for this request.
    pub fn circuit(&mut self, state: &'static str) {
        self.circuit = state;
    }

    /// This was left out of the request, in the words of the header that tells the client.
    pub fn left_out(&mut self, names: &str) {
        self.dropped = Some(names.chars().take(DROPPED_LENGTH).collect());
    }

    /// So much of the time went by waiting for the provider that was asked last.
    pub fn waited(&mut self, duration: Duration) {
        self.attempts.waited(duration);
    }

    /// A provider failed, which the metrics are told of. Limits of a plan are no failures.
    pub fn failed(&mut self, provider: Provider, error: Option<ProviderError>) {
        if let Some(error) = error {
            self.attempts.failed(provider, error);
        }
    }

    /// Something of the answer's body has come.
    pub fn saw_body(&mut self) {
        if self.first_byte.is_none() {
            self.attempts.first_byte();
            self.first_byte = Some(self.facts.arrived.elapsed());
        }
    }

    /// These bytes of the plan's answer pass.
    pub fn saw_bytes(&mut self, bytes: &Bytes) {
        self.saw_body();
        if let Some(reader) = &mut self.reader {
            reader.see(bytes, &mut self.usage);
        }
    }

    /// So many characters of the answer have been relayed.
    pub fn saw_text(&mut self, characters: u64) {
        self.usage.wrote(characters);
    }

    /// Takes in the JSON of an event or message that may carry counts.
    pub fn saw_usage(&mut self, json: &[u8]) {
        let _entered = self.span.enter();
        self.usage.observe(json);
        if estimate::has_prompt(&self.usage.tokens()) {
            // It has been counted, and a stream may go on for long.
            self.prompt = Bytes::new();
        }
    }

    /// Sets how it ended; the last word counts. Without a word it was cancelled.
    ///
    /// What is completed is written down at once, before the caller hands on the last bytes: a client that has its whole
    /// answer is in the journal, whatever happens to the process then. No later word changes that.
    pub fn ends(&mut self, outcome: Outcome) {
        if self.recorded {
            return;
        }
        self.outcome = outcome;
        if outcome == Outcome::Completed {
            self.write_down();
        }
    }

    /// Writes the record, once, if something may have been counted.
    fn write_down(&mut self) {
        if let Some(served) = self.metered
            && !std::mem::replace(&mut self.recorded, true)
        {
            let _entered = self.span.enter();
            let (tokens, estimated) = estimate::settle(&self.usage, &self.prompt);
            self.recorder.record(self.record(served, tokens, estimated));
        }
    }

    /// What the proxy has added to the time until the first byte, or until the end where there was none.
    fn overhead(&self) -> Duration {
        let time = self.first_byte.unwrap_or_else(|| self.facts.arrived.elapsed());
        self.attempts.added(time, self.facts.uploading)
    }

    /// Tells the metrics how it went.
    fn count(&mut self) {
        self.attempts.ended(self.outcome, self.status);
        self.attempts.count();
        if let (Some(Served { provider, .. }), Some(first_byte)) = (self.served, self.first_byte) {
            counters::request_latency(provider, self.overhead());
            counters::time_to_first_byte(provider, first_byte);
            counters::request_duration(provider, self.facts.arrived.elapsed());
        }
    }

    /// The span in which everything about this request is logged.
    pub fn span(&self) -> &Span {
        &self.span
    }

    fn record(&self, served: Served, tokens: TokenUsage, estimated: bool) -> UsageRecord {
        let upstream_model = match served.provider {
            Provider::Bedrock => &self.upstream_model,
            Provider::Plan => self.usage.model().unwrap_or(&self.facts.model),
        };
        UsageRecord {
            request_id: self.facts.request_id,
            timestamp: self.facts.timestamp,
            user_id: self.principal.user_id,
            access_key_id: self.principal.access_key_id,
            model: self.facts.model.clone(),
            upstream_model: upstream_model.to_owned(),
            upstream_message_id: self.usage.message_id().map(str::to_owned),
            tokens,
            estimated,
            cost: None,
            provider: served.provider,
            is_fallback: served.fallback.is_some(),
            route: Route {
                fallback: served.fallback,
                circuit: Some(self.circuit.to_owned()),
                dropped: self.dropped.clone(),
            },
            latency_ms: milliseconds(self.facts.arrived.elapsed()),
            time_to_first_token_ms: self.first_byte.map(milliseconds),
            outcome: self.outcome,
            session_id: self.facts.session_id.clone(),
            agent_id: self.facts.agent_id.clone(),
        }
    }
}

impl Drop for RequestMeter {
    fn drop(&mut self) {
        let span = self.span.clone();
        let entered = span.enter();
        let tokens = self.metered.map(|_| estimate::settle(&self.usage, &self.prompt).0);
        tracing::info!(
            target: telemetry::RECORDS,
            request_id = %self.facts.request_id,
            access_key_prefix = self.principal.key_prefix,
            user_id = %self.principal.user_id,
            operation = self.facts.operation,
            model = self.facts.model,
            provider = self.served.map(|served| served.provider.name()),
            is_fallback = self.served.is_some_and(|served| served.fallback.is_some()),
            fallback_reason = self.served.and_then(|served| served.fallback).map(FallbackReason::name),
            circuit = self.circuit,
            status = self.status,
            outcome = self.outcome.name(),
            latency_ms = milliseconds(self.facts.arrived.elapsed()),
            overhead_ms = milliseconds(self.overhead()),
            ttft_ms = self.first_byte.map(milliseconds),
            input_tokens = tokens.map(|tokens| tokens.input),
            output_tokens = tokens.map(|tokens| tokens.output),
            "request"
        );
        if self.usage.is_contradictory() {
            tracing::warn!("the metrics of Bedrock and its events do not agree; the larger counts are stored");
        }
        drop(entered);
        self.count();
        self.write_down();
    }
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
