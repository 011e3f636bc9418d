//! What the tree asks of a resource type.

use std::any::Any;

use serde::Serialize;
use serde_json::Value as Json;

/// A resource type of CloudFormation with its properties.
pub trait ResourceType: Serialize + 'static {
    /// AWS's name, such as `AWS::SNS::Topic`.
    const TYPE: &'static str;
    /// Whether it takes a list of tags in the property `Tags`.
    const TAGGABLE: bool = false;
    /// Whether replacing it loses what it holds.
    const STATEFUL: bool = false;
    /// What CloudFormation wants acknowledged before it makes one.
    const CAPABILITY: Option<&'static str> = None;
}

/// A resource whose type the tree has forgotten.
pub(super) trait AnyResource {
    fn properties(&self) -> Result<Json, serde_json::Error>;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<R: ResourceType> AnyResource for R {
    fn properties(&self) -> Result<Json, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}
