//! A place in the tree, at which constructs are made, and the stack, which is the topmost one.

use std::cell::RefCell;
use std::ops::Deref;
use std::panic::Location;
use std::rc::Rc;

use serde_json::json;

use super::aspect::Aspect;
use super::assembly::Assembly;
use super::check::Check;
use super::condition::{Condition, Test};
use super::envelope::Envelope;
use super::handle::Handle;
use super::logical_id::{MAIN, logical_id};
use super::parameter::Parameter;
use super::problem::{Origin, Problem, Problems};
use super::resource::ResourceType;
use super::tree::{Declared, Section, Tree};
use super::value::Value;

/// A place in the tree of constructs.
#[derive(Clone)]
pub struct Scope {
    pub(super) tree: Rc<RefCell<Tree>>,
    path: Vec<String>,
    /// The path that ids are made of, where a construct has moved and must keep them.
    id_path: Vec<String>,
}

impl Scope {
    /// A place below this one.
    #[track_caller]
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        if name.is_empty() || name.contains('/') {
            let origin = Origin { path: self.path.join("/"), line: Location::caller() };
            let message = format!("`{name}` cannot name a construct; take a word without a slash");
            self.tree.borrow_mut().problems.push(Problem::at(&origin, message));
        }
        let below = |path: &[String]| [path, &[name.to_owned()]].concat();
        Self { tree: Rc::clone(&self.tree), path: below(&self.path), id_path: below(&self.id_path) }
    }

    /// Keeps the logical ids that everything below had at another path, so that a refactoring replaces nothing.
    #[must_use]
    pub fn renamed_from(mut self, old_path: &str) -> Self {
        self.id_path = old_path.split('/').map(str::to_owned).collect();
        self
    }

    /// Declares a resource below this place.
    #[track_caller]
    pub fn add<R: ResourceType>(&self, name: &str, resource: R) -> Handle<R> {
        self.child(name).declare(resource)
    }

    /// Declares the main resource of the construct at this place, which takes the readable part of its id from the construct.
    #[track_caller]
    pub fn main<R: ResourceType>(&self, resource: R) -> Handle<R> {
        self.add(MAIN, resource)
    }

    #[track_caller]
    fn declare<R: ResourceType>(&self, resource: R) -> Handle<R> {
        let logical_id = logical_id(&self.id_path);
        let origin = Origin { path: self.path.join("/"), line: Location::caller() };
        let index = self.tree.borrow_mut().declare(Declared {
            origin: origin.clone(),
            logical_id: logical_id.clone(),
            type_name: R::TYPE,
            taggable: R::TAGGABLE,
            stateful: R::STATEFUL,
            capability: R::CAPABILITY,
            envelope: Envelope::default(),
            resource: Box::new(resource),
        });
        Handle::new(Rc::clone(&self.tree), index, logical_id, origin)
    }

    /// Declares a parameter of the template, whatever the place.
    #[track_caller]
    pub fn parameter<T>(&self, name: &str, parameter: Parameter<T>) -> Value<T> {
        self.tree.borrow_mut().enter(Section::Parameter, name, Location::caller(), parameter.into_json());
        Value::reference(name)
    }

    /// Declares a condition of the template.
    #[track_caller]
    pub fn condition(&self, name: &str, test: Test) -> Condition {
        self.tree.borrow_mut().enter(Section::Condition, name, Location::caller(), test.into_json());
        Condition::new(name)
    }

    /// Declares an assertion about parameters, which CloudFormation makes before it touches anything.
    #[track_caller]
    pub fn rule(&self, name: &str, holds: Test, otherwise: &str) {
        let rule = json!({ "Assertions": [{ "Assert": holds.into_json(), "AssertDescription": otherwise }] });
        self.tree.borrow_mut().enter(Section::Rule, name, Location::caller(), rule);
    }

    /// Declares an output of the template.
    #[track_caller]
    pub fn output<T>(&self, name: &str, description: &str, value: &Value<T>) {
        let output = json!({ "Description": description, "Value": value });
        self.tree.borrow_mut().enter(Section::Output, name, Location::caller(), output);
    }

    /// Declares an output that exists under a condition.
    #[track_caller]
    pub fn output_if<T>(&self, condition: &Condition, name: &str, description: &str, value: &Value<T>) {
        let output = json!({ "Condition": condition.name(), "Description": description, "Value": value });
        self.tree.borrow_mut().enter(Section::Output, name, Location::caller(), output);
    }

    /// The path, for messages.
    pub fn path(&self) -> String {
        self.path.join("/")
    }
}

/// A stack: the topmost scope, with what applies to everything in it.
#[derive(Clone)]
pub struct Stack {
    scope: Scope,
    description: String,
}

impl Stack {
    /// An empty stack.
    pub fn new(description: &str) -> Self {
        let scope = Scope { tree: Rc::default(), path: Vec::new(), id_path: Vec::new() };
        Self { scope, description: description.to_owned() }
    }

    /// Lets an aspect visit every resource during synthesis, in the order in which aspects were added.
    pub fn aspect(&self, aspect: impl Aspect + 'static) {
        self.scope.tree.borrow_mut().aspects.push(Box::new(aspect));
    }

    /// Lets a check look at the finished template.
    pub fn check(&self, check: impl Check + 'static) {
        self.scope.tree.borrow_mut().checks.push(Box::new(check));
    }

    /// The finished template, or everything that is wrong with it.
    pub fn synth(&self) -> Result<Assembly, Problems> {
        Assembly::of(&mut self.scope.tree.borrow_mut(), &self.description)
    }
}

impl Deref for Stack {
    type Target = Scope;

    fn deref(&self) -> &Scope {
        &self.scope
    }
}
