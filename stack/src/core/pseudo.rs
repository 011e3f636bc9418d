//! What CloudFormation knows about every stack.

use super::value::Value;

macro_rules! pseudo {
    ($($(#[$meta:meta])* $name:ident = $parameter:literal;)*) => {
        $($(#[$meta])*
        pub fn $name() -> Value<String> {
            Value::reference($parameter)
        })*
    };
}

pseudo! {
    /// The account's number.
    account_id = "AWS::AccountId";
    /// The region's name.
    region = "AWS::Region";
    /// `aws`, or what it is in other partitions.
    partition = "AWS::Partition";
    /// The stack's name.
    stack_name = "AWS::StackName";
    /// `amazonaws.com`, or what it is in other partitions.
    url_suffix = "AWS::URLSuffix";
}
