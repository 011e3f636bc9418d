//! Harm to the connection with a provider, at every moment of an answer: a table of what the client sees.

use claude_code_proxy::domain::RoutingStrategy;
use support::fault::{FaultProxy, Harm, Moment};
use support::{Answer, Client, KeyWish, Reply, Surroundings, TestApp, try_get};

/// What the client sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Seen {
    /// A whole answer of Bedrock, and nothing of the harm.
    Bedrock(&'static str),
    /// A whole answer of the plan, harm included: its length is right, and its bytes are the plan's to say.
    Plan,
    /// An answer that breaks off, so that the client knows that it is not whole.
    Break,
    /// An error with this status and type.
    Error(u16, &'static str),
}

/// With the plan harmed and Bedrock well.
fn with_plan_harmed(harm: Harm, moment: Moment, stream: bool) -> Seen {
    match (moment, harm) {
        (Moment::Connect | Moment::Head, Harm::Stall) => Seen::Bedrock("first_byte_timeout"),
        (Moment::Connect | Moment::Head, _) => Seen::Bedrock("unreachable"),
        // The garbage stands where the last bytes of a body of known length would.
        (Moment::End, Harm::Garbage) if !stream => Seen::Plan,
        // Content has been relayed by then.
        (Moment::Body | Moment::End, _) => Seen::Break,
    }
}

/// With Bedrock harmed, for a key that has nothing else.
fn with_bedrock_harmed(harm: Harm, moment: Moment, stream: bool) -> Seen {
    match (moment, harm) {
        (Moment::Body, _) if stream => Seen::Break,
        // The last event has come, and with it all there is to say.
        (Moment::End, _) if stream => Seen::Bedrock(""),
        // A whole answer is read before anything is relayed.
        (_, Harm::Stall) => Seen::Error(504, "timeout_error"),
        _ => Seen::Error(502, "api_error"),
    }
}

async fn impatient() -> Surroundings {
    let around = Surroundings::start().await;
    ["FIRST_BYTE_TIMEOUT", "STREAM_FIRST_BYTE_TIMEOUT", "IDLE_TIMEOUT"]
        .into_iter()
        .fold(around, |around, name| around.with(name, "300ms"))
}

async fn seen(client: &Client, stream: bool) -> Seen {
    let Ok(got) = try_get(client.message(stream)).await else { return Seen::Break };
    if got.status != 200 {
        let kind = got.error_type();
        let known = ["api_error", "timeout_error"].into_iter().find(|known| *known == kind);
        return Seen::Error(got.status, known.unwrap_or("another type"));
    }
    if got.header("x-ccp-provider") == "plan" {
        return Seen::Plan;
    }
    let reasons = ["", "unreachable", "first_byte_timeout"];
    Seen::Bedrock(
        reasons.into_iter().find(|reason| *reason == got.header("x-ccp-fallback")).unwrap_or("another reason"),
    )
}

#[tokio::test]
async fn harm_to_the_plan() {
    for (harm, moment) in Harm::ALL.into_iter().flat_map(|harm| Moment::ALL.map(|moment| (harm, moment))) {
        let around = impatient().await;
        let faulty = FaultProxy::start(&around.plan.url(), harm, moment).await;
        let app = TestApp::start_in(around.with("PLAN_BASE_URL", faulty.url())).await;
        let key = app.key().await;
        for stream in [false, true] {
            let answer = Answer::text("an answer of several words");
            app.plan().otherwise(move |_| if stream { Reply::plan_stream(&answer) } else { Reply::plan_json(&answer) });
            let answer = Answer::text("from Bedrock");
            app.bedrock()
                .otherwise(move |_| if stream { Reply::bedrock_stream(&answer) } else { Reply::bedrock_json(&answer) });
            let seen = seen(&Client::of(&app, &key), stream).await;
            assert_eq!(seen, with_plan_harmed(harm, moment, stream), "{harm:?} at {moment:?}, stream: {stream}");
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn harm_to_bedrock() {
    for (harm, moment) in Harm::ALL.into_iter().flat_map(|harm| Moment::ALL.map(|moment| (harm, moment))) {
        let around = impatient().await;
        let faulty = FaultProxy::start(&around.bedrock.url(), harm, moment).await;
        let app = TestApp::start_in(around.with("BEDROCK_ENDPOINT_URL", faulty.url())).await;
        let key = app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await;
        for stream in [false, true] {
            let answer = Answer::text("an answer of several words");
            app.bedrock()
                .otherwise(move |_| if stream { Reply::bedrock_stream(&answer) } else { Reply::bedrock_json(&answer) });
            let seen = seen(&Client::of(&app, &key), stream).await;
            assert_eq!(seen, with_bedrock_harmed(harm, moment, stream), "{harm:?} at {moment:?}, stream: {stream}");
        }
        app.stop().await;
    }
}

/// A plan that speaks no TLS where TLS is expected, and one whose name nobody knows.
#[tokio::test]
async fn a_plan_without_tls_or_without_an_address_falls_back() {
    let around = Surroundings::start().await.with("CONNECT_TIMEOUT", "2s");
    let plain = around.plan.url().replace("http://", "https://");
    let app = TestApp::start_in(around.with("PLAN_BASE_URL", plain)).await;
    app.bedrock().otherwise(|_| Reply::bedrock_json(&Answer::text("from Bedrock")));
    assert_eq!(seen(&Client::of(&app, &app.key().await), false).await, Seen::Bedrock("unreachable"));
    app.stop().await;

    let around = Surroundings::start().await.with("CONNECT_TIMEOUT", "2s");
    let app = TestApp::start_in(around.with("PLAN_BASE_URL", "http://no-such-host.invalid")).await;
    app.bedrock().otherwise(|_| Reply::bedrock_json(&Answer::text("from Bedrock")));
    assert_eq!(seen(&Client::of(&app, &app.key().await), false).await, Seen::Bedrock("unreachable"));
    app.stop().await;
}
