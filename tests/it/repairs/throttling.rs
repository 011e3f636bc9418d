//! A throttled call is tried again twice, before anything has been sent, and then the client is told when to come back.

use support::{Answer, Counters, Reply, frames};

use super::on_bedrock;

fn throttled(kind: &str) -> Reply {
    Reply::bedrock_error(429, kind, "Too many tokens, please wait before trying again.")
}

#[tokio::test]
async fn a_call_that_is_throttled_twice_is_served() {
    let counters = Counters::default();
    let _seen = metrics::set_default_local_recorder(&counters);
    let (app, client) = on_bedrock().await;
    for kind in ["ThrottlingException", "ModelNotReadyException"] {
        for stream in [false, true] {
            app.bedrock().enqueue(throttled(kind));
            app.bedrock().enqueue(throttled(kind));
            let answer = Answer::text("patience");
            app.bedrock().enqueue(if stream { Reply::bedrock_stream(&answer) } else { Reply::bedrock_json(&answer) });
            let got = if stream { client.ask_streamed().await } else { client.ask().await };
            assert_eq!((got.status, got.header("x-ccp-provider")), (200, "bedrock"), "{kind}");
        }
    }
    let bodies: Vec<_> = app.bedrock().requests().into_iter().map(|request| request.body).collect();
    assert!(bodies.len() == 12 && bodies[..3].iter().all(|body| *body == bodies[0]), "the same body each time");
    assert_eq!(counters.get("bedrock_throttle_retry"), 8);
    let around = app.stop().await;
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM token_usage").fetch_one(&around.database.pool).await.unwrap();
    assert_eq!(rows, 4, "each asked once, as far as usage goes");
}

/// B-73: after the third refusal the client is told to wait, in whole seconds.
#[tokio::test]
async fn patience_has_an_end() {
    let (app, client) = on_bedrock().await;
    for stream in [false, true] {
        for _ in 0..3 {
            app.bedrock().enqueue(throttled("ThrottlingException"));
        }
        let got = if stream { client.ask_streamed().await } else { client.ask().await };
        assert_eq!((got.status, got.error_type().as_str()), (429, "rate_limit_error"));
        assert!(got.header("retry-after").parse::<u32>().is_ok_and(|seconds| (1..=60).contains(&seconds)));
    }
    app.stop().await;
}

/// A wait that is named and too long is the client's to wait; a quota is nothing that passes.
#[tokio::test]
async fn what_would_take_too_long_is_not_waited_for() {
    let (app, client) = on_bedrock().await;
    app.bedrock().enqueue(throttled("ThrottlingException").with_header("retry-after", "7"));
    assert_eq!(client.ask().await.header("retry-after"), "7");
    app.bedrock().enqueue(Reply::bedrock_error(400, "ServiceQuotaExceededException", "Your quota is used up."));
    let got = client.ask().await;
    assert_eq!((got.status, got.error_type().as_str()), (429, "rate_limit_error"));
    assert_eq!(app.bedrock().requests().len(), 2);
    app.stop().await;
}

/// A stream that begins with the exception has sent nothing yet; one that ends with it has.
#[tokio::test]
async fn the_first_frame_counts_as_the_answer_and_the_second_does_not() {
    let (app, client) = on_bedrock().await;
    let exception = || frames::exception("throttlingException", "Too many tokens, please wait.");
    let answer = Answer::text("patience");
    app.bedrock().enqueue(Reply::chunks([exception()]).as_bedrock_stream());
    app.bedrock().enqueue(Reply::bedrock_stream(&answer));
    let got = client.ask_streamed().await;
    assert_eq!((got.status, got.events().last().unwrap().name.as_str()), (200, "message_stop"));
    let begun = frames::bedrock_stream(&answer).into_iter().take(1).chain([exception()]);
    app.bedrock().enqueue(Reply::chunks(begun).as_bedrock_stream());
    let got = client.ask_streamed().await;
    assert_eq!((got.status, got.events().last().unwrap().name.as_str()), (200, "error"));
    for _ in 0..3 {
        app.bedrock().enqueue(Reply::chunks([exception()]).as_bedrock_stream());
    }
    let got = client.ask_streamed().await;
    assert_eq!((got.status, got.error_type().as_str(), got.header("retry-after")), (429, "rate_limit_error", "5"));
    app.stop().await;
}
