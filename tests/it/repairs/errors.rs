//! Each error of Bedrock in the words of the Messages API, whole and streamed, over real HTTP.

use support::{Answer, Client, Got, KeyWish, Reply, Surroundings, frames, get};

use super::{invalid, message, on_bedrock};

/// An error of Bedrock, and what it becomes: status, type, `retry-after`, `x-should-retry`.
type Row = (u16, &'static str, u16, &'static str, &'static str, &'static str);

const ERRORS: &[Row] = &[
    (400, "ValidationException", 400, "invalid_request_error", "", ""),
    (400, "ServiceQuotaExceededException", 429, "rate_limit_error", "5", ""),
    (401, "UnrecognizedClientException", 502, "api_error", "", "false"),
    (403, "AccessDeniedException", 502, "api_error", "", "false"),
    (404, "ResourceNotFoundException", 404, "not_found_error", "", ""),
    (408, "ModelTimeoutException", 504, "timeout_error", "", ""),
    (424, "ModelErrorException", 500, "api_error", "", ""),
    (429, "ThrottlingException", 429, "rate_limit_error", "5", ""),
    (429, "ModelNotReadyException", 529, "overloaded_error", "", ""),
    (500, "InternalServerException", 500, "api_error", "", ""),
    (503, "ServiceUnavailableException", 529, "overloaded_error", "", ""),
];

const EXCEPTIONS: &[(&str, u16, &str, &str)] = &[
    ("validationException", 400, "invalid_request_error", ""),
    ("throttlingException", 429, "rate_limit_error", "5"),
    ("modelTimeoutException", 504, "timeout_error", ""),
    ("modelStreamErrorException", 500, "api_error", ""),
    ("internalServerException", 500, "api_error", ""),
    ("serviceUnavailableException", 529, "overloaded_error", ""),
];

const SECRETIVE: &str = "User: arn:aws:iam::123456789012:user/bedrock may not call arn:aws:bedrock:us-east-1:123456789012:inference-profile/x \
     in account 123456789012; the reason";

fn tries(status: u16) -> usize {
    if status == 429 { 3 } else { 1 }
}

fn is_an_error_of_the_api(got: &Got) {
    assert_eq!((got.json()["type"].as_str(), got.header("content-type")), (Some("error"), "application/json"));
    assert_eq!((got.header("x-ccp-provider"), got.header("x-ccp-fallback")), ("bedrock", ""));
    assert!(!got.header("x-ccp-request-id").is_empty());
    let words = message(got);
    assert!(!words.is_empty() && !words.contains("123456789012") && !words.contains("arn:"), "{words}");
}

/// B-44, B-73, B-74
#[tokio::test]
async fn each_error_has_its_status_type_and_headers() {
    let (app, client) = on_bedrock().await;
    for &(status, kind, told, error_type, retry_after, should_retry) in ERRORS {
        for stream in [false, true] {
            for _ in 0..tries(status) {
                app.bedrock().enqueue(Reply::bedrock_error(status, kind, SECRETIVE));
            }
            let got = get(client.message(stream)).await;
            assert_eq!((got.status, got.error_type().as_str()), (told, error_type), "{kind}");
            assert_eq!(
                (got.header("retry-after"), got.header("x-should-retry")),
                (retry_after, should_retry),
                "{kind}"
            );
            is_an_error_of_the_api(&got);
        }
    }
    app.stop().await;
}

/// B-73, B-74: an exception in the place of the first event is no stream.
#[tokio::test]
async fn each_exception_that_begins_a_stream_is_an_error() {
    let (app, client) = on_bedrock().await;
    for &(kind, told, error_type, retry_after) in EXCEPTIONS {
        for _ in 0..tries(told) {
            let frame = frames::exception(kind, SECRETIVE);
            app.bedrock().enqueue(Reply::chunks([frame]).as_bedrock_stream());
        }
        let got = client.ask_streamed().await;
        assert_eq!((got.status, got.error_type().as_str(), got.header("retry-after")), (told, error_type, retry_after));
        is_an_error_of_the_api(&got);
    }
    app.stop().await;
}

/// B-73: whatever Bedrock names, the client reads whole seconds, and never more than it is ready to wait.
#[tokio::test]
async fn waits_are_whole_seconds() {
    let (app, client) = on_bedrock().await;
    for (named, told) in [("7", "7"), ("3600", "60"), ("60", "60")] {
        let reply = Reply::bedrock_error(429, "ThrottlingException", "Too many tokens, please wait");
        app.bedrock().enqueue(reply.with_header("retry-after", named));
        assert_eq!(client.ask().await.header("retry-after"), told);
    }
    for _ in 0..3 {
        let reply = Reply::bedrock_error(429, "ThrottlingException", "Too many tokens, please wait");
        app.bedrock().enqueue(reply.with_header("retry-after", "0.25"));
    }
    assert_eq!(client.ask().await.header("retry-after"), "5");
    app.stop().await;
}

/// B-72: in the words by which Claude Code compacts the conversation, whichever way Bedrock says it.
#[tokio::test]
async fn a_prompt_that_is_too_long_is_told_in_the_words_that_compact_it() {
    let (app, client) = on_bedrock().await;
    for stream in [false, true] {
        app.bedrock().enqueue(invalid("Input is too long for requested model."));
        let got = get(client.message(stream)).await;
        assert_eq!((got.status, got.error_type().as_str()), (400, "invalid_request_error"));
        assert!(message(&got).starts_with("capability_rejected: prompt_too_long"), "{got:?}");
        app.bedrock().enqueue(invalid("prompt is too long: 210000 tokens > 200000 maximum"));
        assert_eq!(message(&get(client.message(stream)).await), "prompt is too long: 210000 tokens > 200000 maximum");
    }
    let frame = frames::exception("validationException", "Input is too long for requested model.");
    app.bedrock().enqueue(Reply::chunks([frame]).as_bedrock_stream());
    let got = client.ask_streamed().await;
    assert!(got.status == 400 && message(&got).starts_with("capability_rejected: prompt_too_long"), "{got:?}");
    app.stop().await;
}

/// B-74: nothing of AWS's words is in the log.
#[tokio::test]
async fn the_words_of_aws_are_not_logged() {
    let around = Surroundings::start().await;
    let process = support::process::ServeProcess::start(&around).await;
    let key = around.issue(KeyWish::default()).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), key.text));
    let words = format!("{SECRETIVE} tools.0.custom.strict: Extra inputs are not permitted");
    for reply in [invalid(&words), Reply::bedrock_error(500, "InternalServerException", SECRETIVE)] {
        around.plan.enqueue(Reply::overloaded());
        around.bedrock.enqueue(reply);
        client.ask().await;
    }
    let frame = frames::exception("internalServerException", SECRETIVE);
    around.plan.enqueue(Reply::overloaded());
    around.bedrock.enqueue(Reply::chunks([frame]).as_bedrock_stream());
    client.ask_streamed().await;
    // And one that comes in the middle.
    let begun = frames::bedrock_stream(&Answer::text("ok")).into_iter().take(1);
    let frame = frames::exception("modelStreamErrorException", SECRETIVE);
    around.plan.enqueue(Reply::overloaded());
    around.bedrock.enqueue(Reply::chunks(begun.chain([frame])).as_bedrock_stream());
    client.ask_streamed().await;
    process.lines("request", 4).await;
    let log = format!("{:?}", process.log());
    for words in ["123456789012", "arn:aws", "the reason", "Extra inputs", client.prompt.as_str()] {
        assert!(!log.contains(words), "{words}");
    }
}
