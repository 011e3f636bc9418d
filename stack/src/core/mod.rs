//! What a construct tree is: scopes, values, resources, the sections of a template, checks. No AWS service appears here.

mod answers;
mod aspect;
mod assembly;
pub mod assertions;
mod check;
mod condition;
mod deployment;
mod envelope;
mod findings;
mod graph;
mod handle;
mod lock;
mod logical_id;
mod manifest;
mod outline;
mod parameter;
mod problem;
mod pseudo;
mod references;
mod resource;
mod scope;
mod shape;
mod template;
mod tree;
mod value;
mod yaml;

#[cfg(test)]
mod tests;

pub use answers::Answers;
pub use aspect::{Aspect, Tags};
pub use assembly::Assembly;
pub use check::Check;
pub use condition::{Condition, Test};
pub use deployment::Deployment;
pub use envelope::{Envelope, Policy};
pub use findings::Finding;
pub use handle::Handle;
pub use lock::Lock;
pub use manifest::{Image, Manifest};
pub use outline::outline;
pub use parameter::Parameter;
pub(crate) use parameter::parameters;
pub use problem::{Origin, Problem, Problems};
pub use pseudo::{account_id, partition, region, stack_name, url_suffix};
pub use references::{Reference, references};
pub use resource::ResourceType;
pub use scope::{Scope, Stack};
pub(crate) use shape::pascal_case;
pub use shape::{Described, Property, Shape};
pub use template::{Resource, Template};
pub use value::{Kind, List, Value};
