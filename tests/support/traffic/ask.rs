//! One request, asked as its case wants it, and held against what its case says of the answer.

use claude_code_proxy::domain::RoutingStrategy;
use futures_util::StreamExt as _;
use http::Method;
use reqwest::{RequestBuilder, Response};

use super::odd::{half_a_request, read_slowly, wrong_key};
use super::upstreams::counted;
use super::{Case, Ending, Ends, Head, KEYS, Kind, Leaves, Life, PlanSays};
use crate::{ServerEvent, frames, sse};

/// Asks it, and tells how it ended; `head` is filled as soon as it is there.
pub(super) async fn ask(case: &Case, life: &Life, head: &mut Option<Head>) -> Ending {
    match case.kind {
        Kind::WrongKey => wrong_key(case, life).await,
        Kind::BrokenUpload => half_a_request(case, life).await,
        _ if case.slow => read_slowly(case, request(case, life).build().unwrap(), head).await,
        _ => answer(case, request(case, life), head).await,
    }
}

fn request(case: &Case, life: &Life) -> RequestBuilder {
    let path = match (case.kind, case.stream) {
        (Kind::Count, _) => "/v1/messages/count_tokens?beta=true".to_owned(),
        (Kind::NativeCount, _) => format!("/model/{}/count-tokens", case.model()),
        (Kind::Native, true) => format!("/model/{}/invoke-with-response-stream", case.model()),
        (Kind::Native, false) => format!("/model/{}/invoke", case.model()),
        _ => "/v1/messages?beta=true".to_owned(),
    };
    let login = &life.logins[usize::try_from(case.number).unwrap() % life.logins.len()];
    life.clients[case.key]
        .without_login(Method::POST, &path)
        .bearer_auth(login)
        .header("content-type", "application/json")
        .header("x-claude-code-session-id", case.session())
        .body(case.body())
}

async fn answer(case: &Case, request: RequestBuilder, head: &mut Option<Head>) -> Ending {
    let response = match request.send().await {
        Ok(response) => response,
        // The URL has the access key in it.
        Err(error) => return Ending::Broke(format!("before the head: {:?}", error.without_url())),
    };
    let status = response.status();
    let fails = fails(case, &head.insert(Head::of(response.headers())).provider);
    if status == 502 && fails && !case.stream && case.kind == Kind::Message {
        return Ending::Failed;
    }
    // Bedrock does not count for these models, and such a key has nothing else.
    if status == 501 && case.kind == Kind::Count && KEYS[case.key].0 == RoutingStrategy::BedrockOnly {
        return Ending::Free;
    }
    if status != 200 {
        return Ending::Wrong(format!("{status}: {:?}", response.text().await));
    }
    match (case.kind, case.stream) {
        (Kind::Count | Kind::NativeCount, _) => whole(response, counted(case), fails, Ending::Free).await,
        (Kind::Native, true) => native_stream(case, response, fails).await,
        (_, true) => read_stream(case, response, fails).await,
        (_, false) => whole(response, case.answer.to_json(), fails, Ending::Whole).await,
    }
}

/// Whether this provider's answer does not come to its end.
fn fails(case: &Case, provider: &str) -> bool {
    match provider {
        _ if !case.is_billed() => false,
        "plan" => matches!(case.plan, PlanSays::BreaksOff(_)),
        _ => case.ends != Ends::Whole,
    }
}

async fn whole(response: Response, expected: String, fails: bool, right: Ending) -> Ending {
    match response.bytes().await {
        Ok(_) if fails => Ending::Wrong("half an answer that looks whole".to_owned()),
        Ok(body) if body == expected => right,
        Ok(body) => Ending::Wrong(format!("not the answer to the question: {body:?}")),
        Err(_) if fails => Ending::Failed,
        Err(error) => Ending::Broke(error.without_url().to_string()),
    }
}

/// Bedrock's own frames pass unchanged.
async fn native_stream(case: &Case, response: Response, fails: bool) -> Ending {
    let (mut body, mut got) = (response.bytes_stream(), Vec::new());
    while let Some(piece) = body.next().await {
        match piece {
            Ok(bytes) => got.extend(bytes),
            Err(_) if fails => return Ending::Failed,
            Err(error) => return Ending::Broke(error.without_url().to_string()),
        }
    }
    let expected = frames::bedrock_stream(&case.answer).concat();
    match case.ends {
        Ends::Exception(_) if !expected.starts_with(&got) => Ending::Failed,
        Ends::Whole if got == expected => Ending::Whole,
        _ => Ending::Wrong(format!("{} bytes that are not the answer", got.len())),
    }
}

async fn read_stream(case: &Case, response: Response, fails: bool) -> Ending {
    let (mut body, mut text) = (response.bytes_stream(), Vec::new());
    loop {
        match body.next().await {
            Some(Ok(bytes)) => text.extend(bytes),
            Some(Err(_)) if fails => return Ending::Failed,
            Some(Err(error)) => return Ending::Broke(error.without_url().to_string()),
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
            Some(last) if last.name == "error" && fails => return Ending::Failed,
            Some(last) if last.name == "error" => return Ending::Wrong(last.data.clone()),
            Some(last) if last.name == "message_stop" => return judged(case, &events),
            _ => {}
        }
    }
}

/// Whether these are all events of the answer.
pub(super) fn judged(case: &Case, events: &[ServerEvent]) -> Ending {
    let expected = case.answer.to_events();
    let is_it = events.len() == expected.len() && Case::characters(events) == Case::characters(&expected);
    let right = is_it && events[0].json()["message"]["id"] == case.answer.id.as_str();
    if right { Ending::Whole } else { Ending::Wrong(format!("not the answer: {events:?}")) }
}
