//! What Bedrock must have received, derived from what the plan received of the same request.

use serde_json::{Map, Value, json};
use support::RecordedRequest;

/// What becomes of `thinking.display`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Display {
    /// The model knows it.
    Kept,
    /// The model would refuse it.
    Dropped,
}

/// That Bedrock received the client's body, without what it refuses, with its own version field and exactly these betas.
pub(crate) fn assert_bridged(
    at_plan: &RecordedRequest,
    at_bedrock: &RecordedRequest,
    betas: &[&str],
    display: Display,
) {
    let (mut expected, got) = (object(at_plan), object(at_bedrock));
    for field in ["model", "stream", "context_management"] {
        assert!(expected.remove(field).is_some(), "the client sends no {field} any more, which is news");
    }
    for message in expected["messages"].as_array_mut().unwrap() {
        message.as_object_mut().unwrap().remove("output_config");
    }
    drop_billing(&mut expected);
    if display == Display::Dropped {
        expected["thinking"].as_object_mut().unwrap().remove("display");
    }
    expected.insert("anthropic_version".to_owned(), json!("bedrock-2023-05-31"));
    expected.insert("anthropic_beta".to_owned(), json!(betas));

    assert_eq!(got.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    // One by one, so that a failure shows one field and not a whole prompt.
    for (field, value) in &expected {
        assert_eq!(&got[field], value, "{field}");
    }
}

/// That the Messages API of Bedrock received the client's body, without what it refuses, with Bedrock's name of the model,
/// with these betas in a header, and with a user id that fits.
pub(crate) fn assert_bridged_for_messages(
    at_plan: &RecordedRequest,
    at_bedrock: &RecordedRequest,
    betas: &[&str],
    session_id: &str,
) {
    let (mut expected, got) = (object(at_plan), object(at_bedrock));
    for message in expected["messages"].as_array_mut().unwrap() {
        message.as_object_mut().unwrap().remove("output_config");
    }
    drop_billing(&mut expected);
    expected["model"] = json!("global.anthropic.claude-opus-5-5");
    assert!(expected["metadata"]["user_id"].as_str().unwrap().contains(session_id), "there is something to fit");
    expected["metadata"]["user_id"] = json!(session_id);
    assert_eq!(got.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (field, value) in &expected {
        assert_eq!(&got[field], value, "{field}");
    }
    assert_eq!(at_bedrock.header_values("anthropic-beta"), [betas.join(",")]);
}

/// Whom Anthropic bills is none of Bedrock's business.
fn drop_billing(body: &mut Map<String, Value>) {
    let system = body["system"].as_array_mut().unwrap();
    let billing = system.remove(0);
    assert!(billing["text"].as_str().unwrap().starts_with("x-anthropic-billing-header:"), "{billing}");
}

fn object(request: &RecordedRequest) -> Map<String, Value> {
    let Value::Object(object) = request.json() else { panic!("the body is no object") };
    object
}
