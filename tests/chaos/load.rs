//! The developers: so many requests at a time, of which some are left before their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use http::Method;
use support::sse;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::case::{Case, Leaves};
use crate::dice::Dice;
use crate::proxies::{Life, Proxies};
use crate::upstreams::Arrivals;

const IN_FLIGHT: u64 = 24;
/// An answer that takes longer than this hangs.
const LONGEST: Duration = Duration::from_secs(45);

/// How a request ended for its client.
#[derive(Debug)]
pub(crate) enum Ending {
    /// With the whole answer.
    Whole,
    /// The client left when it had so many characters of the answer.
    Left(u64),
    /// The connection broke.
    Broke(String),
    /// In another way, which is never right.
    Wrong(String),
}

/// A request, as its client saw it.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) case: Case,
    pub(crate) life: Arc<Life>,
    /// `x-ccp-request-id` and `x-ccp-provider`, once the head of the answer has come.
    pub(crate) head: Option<(String, String)>,
    pub(crate) ending: Ending,
    pub(crate) ended_at: Instant,
}

/// Asks until `end`, and reads the last answers to their end.
pub(crate) async fn until(end: Instant, seed: u64, proxies: &Arc<Proxies>, arrivals: &Arrivals) -> Vec<Visit> {
    let next = Arc::new(AtomicU64::new(0));
    let mut developers = JoinSet::new();
    for developer in 0..IN_FLIGHT {
        let (next, proxies, arrivals) = (Arc::clone(&next), Arc::clone(proxies), arrivals.clone());
        developers.spawn(async move {
            let mut dice = Dice::of(seed, (1 << 41) + developer);
            let mut visits = Vec::new();
            while Instant::now() < end {
                let case = Case::of(seed, next.fetch_add(1, Ordering::Relaxed));
                visits.push(visit(case, proxies.any(&mut dice), &arrivals).await);
            }
            visits
        });
    }
    developers.join_all().await.into_iter().flatten().collect()
}

async fn visit(case: Case, life: Arc<Life>, arrivals: &Arrivals) -> Visit {
    let arrived = arrivals.of(&case);
    let mut head = None;
    let ending = {
        let asking = tokio::time::timeout(LONGEST, ask(&case, &life, &mut head));
        tokio::select! {
            answered = asking => answered.unwrap_or_else(|_| Ending::Wrong(format!("no end after {LONGEST:?}"))),
            Ok(()) = arrived, if case.leaves == Leaves::BeforeTheAnswer => Ending::Left(0),
        }
    };
    Visit { case, life, head, ending, ended_at: Instant::now() }
}

async fn ask(case: &Case, life: &Life, head: &mut Option<(String, String)>) -> Ending {
    let request = life.clients[case.key].request(Method::POST, "/v1/messages?beta=true");
    let request = request.header("content-type", "application/json").header("x-claude-code-session-id", case.session());
    let response = match request.body(case.body()).send().await {
        Ok(response) => response,
        Err(error) => return Ending::Broke(format!("before the head: {error:?}")),
    };
    let status = response.status();
    let header = |name| response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    *head = Some((header("x-ccp-request-id"), header("x-ccp-provider")));
    if status != 200 {
        return Ending::Wrong(format!("{status}: {:?}", response.text().await));
    }
    if case.stream {
        return read_stream(case, response).await;
    }
    match response.bytes().await {
        Ok(body) if body == case.answer.to_json() => Ending::Whole,
        Ok(body) => Ending::Wrong(format!("not the answer to the question: {body:?}")),
        Err(error) => Ending::Broke(error.to_string()),
    }
}

async fn read_stream(case: &Case, response: reqwest::Response) -> Ending {
    let (mut body, mut text) = (response.bytes_stream(), Vec::new());
    loop {
        match body.next().await {
            Some(Ok(bytes)) => text.extend(bytes),
            Some(Err(error)) => return Ending::Broke(error.to_string()),
            None => return Ending::Broke("the stream ended before its last event".to_owned()),
        }
        // What is cut in the middle of a character is not whole either.
        let whole = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let mut events = sse::decode(whole);
        events.retain(|event| event.name != "ping");
        if let Leaves::InSilence(after) | Leaves::InMidStream(after) = case.leaves
            && events.len() >= after
        {
            return Ending::Left(Case::characters(&events));
        }
        match events.last() {
            Some(last) if last.name == "error" => return Ending::Wrong(last.data.clone()),
            Some(last) if last.name == "message_stop" => {
                let expected = case.answer.to_events();
                let is_it = events.len() == expected.len() && Case::characters(&events) == Case::characters(&expected);
                let right = is_it && events[0].json()["message"]["id"] == case.answer.id.as_str();
                return if right { Ending::Whole } else { Ending::Wrong(format!("not the answer: {events:?}")) };
            }
            _ => {}
        }
    }
}
