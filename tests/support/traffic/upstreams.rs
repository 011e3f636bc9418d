//! The plan and Bedrock, which answer each case as it says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::sync::oneshot;

use super::{Case, Dice, Ends, Kind, Leaves, PlanSays};
use crate::{BedrockApi, RecordedRequest, Reply, Surroundings, frames};

/// Clients that want to know when Bedrock has their request.
#[derive(Clone, Debug, Default)]
pub struct Arrivals(Arc<Mutex<HashMap<u64, oneshot::Sender<()>>>>);

impl Arrivals {
    /// Resolves when Bedrock has the request of this case.
    pub fn of(&self, case: &Case) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.0.lock().unwrap().insert(case.number, sender);
        receiver
    }

    fn note(&self, number: u64) {
        if let Some(sender) = self.0.lock().unwrap().remove(&number) {
            // An error says that the client has gone.
            let _ = sender.send(());
        }
    }
}

/// Lets both answer from now on.
pub fn answer(around: &Surroundings, seed: u64) -> Arrivals {
    let arrivals = Arrivals::default();
    around.plan.otherwise(move |request| plan(seed, request));
    let noted = arrivals.clone();
    around.bedrock.otherwise(move |request| {
        let path = request.path();
        if path.ends_with("/count-tokens") {
            return Reply::json(200, counted(&Case::asked_in(seed, &request.body)));
        }
        let case = Case::asked_in(seed, &request.body);
        noted.note(case.number);
        let is_messages = path.ends_with("/v1/messages");
        bedrock(&case, if is_messages { BedrockApi::Messages } else { BedrockApi::Invoke }, seed)
    });
    // The load is more than anybody would look at.
    around.plan.forget_requests();
    around.bedrock.forget_requests();
    arrivals
}

/// The number of tokens, in the words of who is asked.
pub(super) fn counted(case: &Case) -> String {
    let name = if case.kind == Kind::NativeCount { "inputTokens" } else { "input_tokens" };
    serde_json::json!({ name: case.count() }).to_string()
}

fn plan(seed: u64, request: &RecordedRequest) -> Reply {
    if request.method == "GET" {
        return Reply::json(200, r#"{"data":[]}"#);
    }
    let case = Case::asked_in(seed, &request.body);
    if case.kind == Kind::Count {
        return Reply::json(200, counted(&case));
    }
    match (case.plan, case.stream) {
        (PlanSays::Serves, true) => Reply::plan_stream(&case.answer),
        (PlanSays::Serves, false) => Reply::plan_json(&case.answer),
        (PlanSays::BreaksOff(after), true) => {
            let events = case.answer.to_events();
            Reply::truncated(events[..after].iter().map(crate::ServerEvent::to_bytes)).as_plan_stream()
        }
        (PlanSays::BreaksOff(_), false) => half_of(&case),
        (PlanSays::Limited, _) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
            Reply::plan_limited(now + 2)
        }
        (PlanSays::Throttled, _) => Reply::throttled(Some(1)),
        (PlanSays::Overloaded, _) => Reply::overloaded(),
        (PlanSays::HangsUp, _) => Reply::drops_connection(),
    }
}

fn bedrock(case: &Case, api: BedrockApi, seed: u64) -> Reply {
    let mut dice = Dice::of(seed, u64::MAX - case.number);
    if case.leaves == Leaves::BeforeTheAnswer {
        return Reply::never_answers();
    }
    if !case.stream {
        let answer = if case.ends == Ends::Whole { api.answer(&case.answer, false) } else { half_of(case) };
        return answer.held_until(tokio::time::sleep(dice.milliseconds(0, 80)));
    }
    let mut events = api.events(&case.answer);
    let pause = dice.milliseconds(0, 15);
    match (case.leaves, case.ends) {
        (Leaves::InSilence(after), _) => {
            events.truncate(after);
            api.stream(Reply::streamed(paced(events, pause).chain(stream::pending())))
        }
        (_, Ends::BreaksOff(after)) => {
            events.truncate(after);
            api.stream(Reply::truncated(events))
        }
        (_, Ends::Exception(after)) => {
            events.truncate(after);
            events.push(match api {
                BedrockApi::Invoke => frames::exception("throttlingException", "slow down"),
                BedrockApi::Messages => crate::ServerEvent::error("overloaded_error", "too much").to_bytes(),
            });
            api.stream(Reply::streamed(paced(events, pause)))
        }
        _ => api.stream(Reply::streamed(paced(events, pause))),
    }
}

/// A whole answer that breaks off.
fn half_of(case: &Case) -> Reply {
    let mut answer = case.answer.to_json().into_bytes();
    answer.truncate(answer.len() / 2);
    Reply::truncated([answer]).with_header("content-type", "application/json")
}

/// A model writes at its own speed.
fn paced(events: Vec<Bytes>, pause: Duration) -> impl futures_util::Stream<Item = Bytes> + Send {
    stream::iter(events).then(move |event| async move {
        tokio::time::sleep(pause).await;
        event
    })
}
