//! The plan and Bedrock, which answer each case as it says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use support::{BedrockApi, RecordedRequest, Reply, Surroundings};
use tokio::sync::oneshot;

use crate::case::{Case, Leaves, PlanSays};
use crate::dice::Dice;

/// Clients that want to know when Bedrock has their request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrivals(Arc<Mutex<HashMap<u64, oneshot::Sender<()>>>>);

impl Arrivals {
    /// Resolves when Bedrock has the request of this case.
    pub(crate) fn of(&self, case: &Case) -> oneshot::Receiver<()> {
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
pub(crate) fn answer(around: &Surroundings, seed: u64) -> Arrivals {
    let arrivals = Arrivals::default();
    around.plan.otherwise(move |request| plan(seed, request));
    let noted = arrivals.clone();
    around.bedrock.otherwise(move |request| {
        let case = Case::asked_in(seed, &request.body);
        noted.note(case.number);
        bedrock(&case, seed, request)
    });
    arrivals
}

fn plan(seed: u64, request: &RecordedRequest) -> Reply {
    if request.method == "GET" {
        return Reply::json(200, r#"{"data":[]}"#);
    }
    let case = Case::asked_in(seed, &request.body);
    match (case.plan, case.stream) {
        (PlanSays::Serves, true) => Reply::plan_stream(&case.answer),
        (PlanSays::Serves, false) => Reply::plan_json(&case.answer),
        (PlanSays::Limited, _) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
            Reply::plan_limited(now + 2)
        }
        (PlanSays::Throttled, _) => Reply::throttled(Some(1)),
    }
}

fn bedrock(case: &Case, seed: u64, request: &RecordedRequest) -> Reply {
    let is_messages = request.path().ends_with("/v1/messages");
    let api = if is_messages { BedrockApi::Messages } else { BedrockApi::Invoke };
    let mut dice = Dice::of(seed, u64::MAX - case.number);
    if case.leaves == Leaves::BeforeTheAnswer {
        return Reply::never_answers();
    }
    if !case.stream {
        return api.answer(&case.answer, false).held_until(tokio::time::sleep(dice.milliseconds(0, 80)));
    }
    let mut events = api.events(&case.answer);
    let silence = matches!(case.leaves, Leaves::InSilence(_));
    if let Leaves::InSilence(after) = case.leaves {
        events.truncate(after);
    }
    let paced = paced(events, dice.milliseconds(0, 15));
    let endless = stream::pending().take(usize::from(silence));
    api.stream(Reply::streamed(paced.chain(endless)))
}

/// A model writes at its own speed.
fn paced(events: Vec<Bytes>, pause: Duration) -> impl futures_util::Stream<Item = Bytes> + Send {
    stream::iter(events).then(move |event| async move {
        tokio::time::sleep(pause).await;
        event
    })
}
