//! A declared resource: the source of references to it, and the way to change it until synthesis.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;

use serde::Serialize;
use serde_json::Value as Json;

use super::condition::Condition;
use super::envelope::{Envelope, Policy};
use super::findings::Finding;
use super::problem::{Origin, Problem};
use super::resource::ResourceType;
use super::tree::Tree;
use super::value::Value;

/// A declared resource of the type `R`.
pub struct Handle<R> {
    tree: Rc<RefCell<Tree>>,
    index: usize,
    logical_id: String,
    origin: Origin,
    kind: PhantomData<fn() -> R>,
}

impl<R> Clone for Handle<R> {
    fn clone(&self) -> Self {
        Self::new(Rc::clone(&self.tree), self.index, self.logical_id.clone(), self.origin.clone())
    }
}

impl<R> Handle<R> {
    pub(super) fn new(tree: Rc<RefCell<Tree>>, index: usize, logical_id: String, origin: Origin) -> Self {
        Self { tree, index, logical_id, origin, kind: PhantomData }
    }

    /// The resource's key in the template.
    pub fn logical_id(&self) -> &str {
        &self.logical_id
    }

    /// Its path, and the line that declared it.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What `Ref` gives. The typed accessors of L1 are made of it.
    pub(crate) fn reference<T>(&self) -> Value<T> {
        Value::reference(&self.logical_id)
    }

    /// What `Fn::GetAtt` gives.
    pub(crate) fn attribute<T>(&self, name: &str) -> Value<T> {
        Value::attribute(&self.logical_id, name)
    }

    fn envelope(&self, change: impl FnOnce(&mut Envelope)) -> &Self {
        change(&mut self.tree.borrow_mut().resources[self.index].envelope);
        self
    }

    /// Makes this wait for another resource that it does not refer to.
    pub fn depends_on<S>(&self, other: &Handle<S>) -> &Self {
        self.envelope(|envelope| {
            envelope.depends_on.insert(other.logical_id.clone());
        })
    }

    /// What becomes of it when it leaves the stack or is replaced.
    pub fn policy(&self, policy: Policy) -> &Self {
        self.envelope(|envelope| {
            envelope.deletion_policy = Some(policy);
            envelope.update_replace_policy = Some(policy);
        })
    }

    /// Lets it exist only where the condition holds.
    pub fn only_if(&self, condition: &Condition) -> &Self {
        self.envelope(|envelope| envelope.condition = Some(condition.name().to_owned()))
    }

    /// Accepts a finding of a validator, for a reason that a reviewer can judge.
    pub fn accept(&self, rule: &str, reason: &str) -> &Self {
        self.envelope(|envelope| envelope.findings.push(Finding { rule: rule.to_owned(), reason: reason.to_owned() }))
    }

    /// Attaches metadata.
    pub fn metadata(&self, key: &str, value: impl Into<Json>) -> &Self {
        self.envelope(|envelope| {
            envelope.metadata.insert(key.to_owned(), value.into());
        })
    }

    /// Sets a property that the typed struct does not have; the way out, unchecked by the compiler.
    pub fn set(&self, property: &str, value: impl Serialize) -> &Self {
        match serde_json::to_value(value) {
            Ok(json) => self.envelope(|envelope| {
                envelope.overrides.insert(property.to_owned(), json);
            }),
            Err(error) => self.problem(&format!("`{property}` is no JSON: {error}; give it a value with text keys")),
        }
    }

    /// Reports a mistake of this resource when the stack is synthesised.
    pub(crate) fn problem(&self, message: &str) -> &Self {
        self.tree.borrow_mut().problems.push(Problem::at(&self.origin, message));
        self
    }
}

impl<R: ResourceType> Handle<R> {
    /// Changes the properties of the resource; how L2 adds a statement to a policy, and the way out where L2 does not suffice.
    pub fn edit(&self, change: impl FnOnce(&mut R)) -> &Self {
        let mut tree = self.tree.borrow_mut();
        // A handle is made with the type of its resource, which never changes.
        if let Some(resource) = tree.resources[self.index].resource.as_any_mut().downcast_mut() {
            change(resource);
        }
        drop(tree);
        self
    }
}
