//! Every name, form, enumeration and attribute of L1 against the schemas that AWS publishes, as cfn-lint ships them.

use std::env;
use std::path::PathBuf;

use stack::cfn::catalogue;
use stack::core::{Property, Shape};

use crate::schema::Schemas;

fn schemas() -> Schemas {
    let folder = env::var("CFN_SCHEMAS")
        .unwrap_or_else(|_| panic!("CFN_SCHEMAS is not set; run `cargo xtask test --only stack`"));
    Schemas::open(PathBuf::from(folder), "ap-northeast-2")
}

#[test]
#[ignore = "needs validators: cargo xtask test --only stack"]
fn l1_says_nothing_that_aws_does_not() {
    let schemas = schemas();
    let entries = catalogue();
    assert!(entries.len() > 40, "the catalogue is there");
    let differences: Vec<_> = entries.iter().flat_map(|entry| schemas.differences(entry)).collect();
    assert!(
        differences.is_empty(),
        "{} differences from AWS's schemas:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

#[test]
#[ignore = "needs validators: cargo xtask test --only stack"]
fn a_difference_is_seen() {
    let wrong = |name: &str, shape| {
        let mut entry = catalogue().into_iter().find(|entry| entry.type_name == "AWS::SNS::Topic").expect("a topic");
        entry.shape = Shape::Object(vec![Property { name: name.to_owned(), required: false, shape }]);
        schemas().differences(&entry).join("\n")
    };
    assert!(wrong("TopicNam", Shape::Text).contains("TopicNam: AWS has no such property"));
    assert!(wrong("FifoTopic", Shape::Text).contains("FifoTopic: Text here, boolean at AWS"));
    assert!(wrong("TopicName", Shape::Text).is_empty());
}
