//! References between resources of L1.

use serde_json::json;
use stack::cfn::{ec2, sns};
use stack::core::Stack;

#[test]
fn a_reference_and_an_attribute_of_one_resource_differ() {
    let stack = Stack::new("References");
    let vpc = stack.add("Vpc", ec2::Vpc::new("10.0.0.0/16"));
    let group = stack.add("Group", ec2::SecurityGroup::new("A group").vpc_id(vpc.id()));
    let topic = stack.add("Topic", sns::Topic::new());
    assert_eq!(*vpc.id().json(), json!({ "Ref": "Vpc" }));
    assert_eq!(*group.id().json(), json!({ "Fn::GetAtt": ["Group", "GroupId"] }));
    assert_eq!(
        (topic.arn().json(), topic.name().json()),
        (&json!({ "Ref": "Topic" }), &json!({ "Fn::GetAtt": ["Topic", "TopicName"] }))
    );
    let template = stack.synth().expect("nothing is wrong").template;
    assert_eq!(template.the("AWS::EC2::SecurityGroup").property("VpcId"), json!({ "Ref": "Vpc" }));
}
