//! Tests of the whole of `core`, with a resource type that AWS does not have.

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::*;

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Box {
    #[serde(skip_serializing_if = "Option::is_none")]
    inside: Option<Value<Box>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<Value<String>>,
}

impl ResourceType for Box {
    const TYPE: &'static str = "Test::Box";
    const TAGGABLE: bool = true;
    const STATEFUL: bool = true;
    const CAPABILITY: Option<&'static str> = Some("CAPABILITY_TEST");
}

fn inside(outer: &Handle<Box>) -> Box {
    Box { inside: Some(outer.reference()), label: None }
}

fn labelled(label: impl Into<Value<String>>) -> Box {
    Box { inside: None, label: Some(label.into()) }
}

fn stack() -> Stack {
    Stack::new("Boxes")
}

#[track_caller]
fn refused(stack: &Stack) -> String {
    stack.synth().expect_err("the stack has a mistake").to_string()
}

#[test]
fn a_stack_becomes_a_template() {
    let stack = stack();
    let name = stack.parameter("Name", Parameter::text("What is on the box").default("tea"));
    let outer = stack.child("Outer").main(labelled(&name));
    let inner = stack.add("Inner", inside(&outer));
    inner.policy(Policy::Retain).accept("CKV_X", "it is a box").depends_on(&outer);
    stack.output("OuterName", "The outer box", &outer.reference::<String>());
    let assembly = stack.synth().unwrap();
    let id = outer.logical_id();
    let expected = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Boxes",
        "Parameters": { "Name": { "Type": "String", "Description": "What is on the box", "Default": "tea" } },
        "Resources": {
            "Inner": {
                "Type": "Test::Box",
                "DependsOn": [id],
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Metadata": { "checkov": { "skip": [{ "id": "CKV_X", "comment": "it is a box" }] } },
                "Properties": { "Inside": { "Ref": id } },
            },
            id: { "Type": "Test::Box", "Properties": { "Label": { "Ref": "Name" } } },
        },
        "Outputs": { "OuterName": { "Description": "The outer box", "Value": { "Ref": id } } },
    });
    assert_eq!(serde_json::from_str::<Json>(&assembly.json).unwrap(), expected);
    assert_eq!(serde_yaml::from_str::<Json>(&assembly.yaml).unwrap(), expected, "YAML says the same");
    assert!(!assembly.json.contains('\n'));
    let manifest = Manifest::new(&assembly, Image { repository: "boxes", parameter: "Digest" }, Some("abc".to_owned()));
    assert_eq!(manifest.constructs["Outer/Resource"], id);
    assert!(manifest.inline && manifest.capabilities.contains("CAPABILITY_TEST"));
}

#[test]
fn two_syntheses_are_the_same_byte_for_byte() {
    let build = || {
        let stack = stack();
        let outer = stack.add("Outer", labelled("x"));
        outer.set("Zeta", json!({ "b": 1, "a": 2 })).set("Alpha", 1);
        stack.synth().unwrap()
    };
    let (first, second) = (build(), build());
    assert_eq!((&first.yaml, &first.json), (&second.yaml, &second.json));
    assert!(first.json.contains(r#"{"Alpha":1,"Label":"x","Zeta":{"a":2,"b":1}}"#), "{}", first.json);
}

#[test]
fn all_mistakes_are_told_at_once_with_path_and_line() {
    let stack = stack();
    stack.child("A").add("Lost", labelled(Value::sub("${Nowhere} in ${AWS::Region}")));
    stack.child("B").add("Same", labelled("x"));
    let line = line!() + 1;
    stack.child("B").add("Same", labelled("y"));
    let told = refused(&stack);
    assert!(told.starts_with("the stack has 2 mistakes"), "{told}");
    assert!(told.contains("A/Lost") && told.contains("`Nowhere`, which this stack does not have"), "{told}");
    assert!(told.contains(&format!("B/Same ({}:{line}): the logical id `BSame", file!())), "{told}");
}

#[test]
fn ids_that_collide_name_both_paths() {
    let stack = stack();
    stack.add("A-B", labelled("x"));
    stack.add("AB", labelled("y"));
    let told = refused(&stack);
    assert!(told.contains("AB (") && told.contains("`AB` is already that of A-B ("), "{told}");
}

#[test]
fn a_circle_is_told_once_with_all_its_members() {
    let stack = stack();
    let first = stack.add("First", Box::default());
    let second = stack.add("Second", inside(&first));
    first.edit(|first| first.inside = Some(second.reference()));
    let told = refused(&stack);
    assert!(told.starts_with("the stack has 1 mistake\n"), "{told}");
    assert!(told.contains("waits for itself: First") && told.contains("→ Second"), "{told}");
}

#[test]
fn what_exists_sometimes_is_referred_to_under_its_condition_alone() {
    let stack = stack();
    let kind = stack.parameter("Kind", Parameter::text("Which").default(""));
    let given = stack.condition("Given", Test::given(&kind));
    let sometimes = stack.add("Sometimes", labelled("x"));
    sometimes.only_if(&given);
    let label = || sometimes.reference::<String>();
    stack.add("Guarded", labelled(Value::when(&given, label(), "none")));
    stack.add("Same", labelled(label())).only_if(&given);
    stack.output_if(&given, "Label", "Its label", &label());
    stack.synth().unwrap();
    stack.output("Known", "Its label", &label());
    assert!(refused(&stack).contains("which exists only under the condition `Given`"), "an output");
    stack.add("Always", labelled(label()));
    assert_eq!(refused(&stack).matches("which exists only under the condition `Given`").count(), 2, "a resource");
}

#[test]
fn tags_come_to_every_resource_and_keep_what_is_there() {
    let stack = stack();
    stack.aspect(Tags(vec![("project".to_owned(), "boxes".to_owned())]));
    stack.add("Plain", Box::default());
    stack.add("Own", Box::default()).set("Tags", json!([{ "Key": "project", "Value": "mine" }]));
    let template = stack.synth().unwrap().template;
    assert_eq!(template.at("Plain").property("Tags"), json!([{ "Key": "project", "Value": "boxes" }]));
    assert_eq!(template.at("Own").property("Tags"), json!([{ "Key": "project", "Value": "mine" }]));
}

#[test]
fn an_aspect_can_object() {
    let stack = stack();
    stack.aspect(|resource: &mut Resource| {
        if resource.properties.contains_key("Label") {
            return Vec::new();
        }
        vec![Problem::at(&resource.origin, "a box has no label; give it one")]
    });
    stack.add("Plain", Box::default());
    assert!(refused(&stack).contains("a box has no label"));
}

#[test]
fn the_lock_refuses_to_lose_what_holds_state() {
    let before = stack();
    before.child("Old").main(labelled("x"));
    let template = before.synth().unwrap().template;
    let lock = Lock::parse(&Lock::of(&template).to_string()).unwrap();
    lock.check(&template).unwrap();

    let moved = stack();
    moved.child("New").main(labelled("x"));
    let told = lock.check(&moved.synth().unwrap().template).unwrap_err().to_string();
    assert!(told.contains("Old/Resource (`Old") && told.contains(r#"renamed_from("Old")"#), "{told}");

    let kept = stack();
    kept.child("New").renamed_from("Old").main(labelled("x"));
    lock.check(&kept.synth().unwrap().template).unwrap();
}

#[test]
fn a_lock_file_that_is_none_is_refused() {
    assert!(Lock::parse("what is this").unwrap_err().contains("what is this"));
}

#[test]
fn a_rule_and_the_ways_to_a_value_are_written_as_cloudformation_has_them() {
    let stack = stack();
    let list = stack.parameter("Networks", Parameter::<List<String>>::list("Networks").default("a,b"));
    stack.rule("Some", Test::given(&list.at(0)), "give a network");
    let built = |value: Value<String>| value.json().clone();
    assert_eq!(built(list.at(1)), json!({ "Fn::Select": [1, { "Ref": "Networks" }] }));
    assert_eq!(built(list.joined("-")), json!({ "Fn::Join": ["-", { "Ref": "Networks" }] }));
    assert_eq!(built(Value::import("Export")), json!({ "Fn::ImportValue": "Export" }));
    assert_eq!(
        built(Value::join("/", ["a".into(), region()])),
        json!({ "Fn::Join": ["/", ["a", { "Ref": "AWS::Region" }]] })
    );
    assert_eq!(
        built(Value::sub_with("${a}!", [("a", partition())])),
        json!({ "Fn::Sub": ["${a}!", { "a": { "Ref": "AWS::Partition" } }] })
    );
    stack.add("One", labelled("x"));
    let template = stack.synth().unwrap().template;
    assert_eq!(template.rules["Some"].body["Assertions"][0]["AssertDescription"], "give a network");
}
