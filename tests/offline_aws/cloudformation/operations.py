"""Operations on stacks, each in a thread of its own: resource by resource, with events, and back when one fails."""

import copy
import threading
import time
import traceback
from dataclasses import dataclass, field

from cloudformation import policy
from cloudformation.difference import same
from cloudformation.intrinsics import Evaluation
from cloudformation.resources import Failed, Place, kind_of
from cloudformation.schemas import recreation
from cloudformation.stacks import Resource
from cloudformation.templates import levels, references
from wire import now

REPLACED = "Requested update requires the creation of a new physical resource; hence creating one."


@dataclass
class Plan:
    """What a stack is to become."""

    text: str
    template: dict
    parameters: dict
    tags: list
    capabilities: list
    notifications: list
    rollback: dict
    on_failure: str = "ROLLBACK"
    delete_new: bool = False
    token: str | None = None


class Broken(Exception):
    """An operation has failed at these resources."""

    def __init__(self, logicals, word):
        super().__init__(", ".join(logicals))
        self.logicals, self.word = logicals, word


@dataclass
class Step:
    """One resource on its way."""

    word: str
    resource: Resource
    definition: dict
    properties: dict
    old: Resource | None = None


@dataclass
class Done:
    """What an operation has done, for the way back."""

    made: list = field(default_factory=list)
    changed: list = field(default_factory=list)
    replaced: list = field(default_factory=list)


class Operation(threading.Thread):
    """Whatever an operation does to a stack."""

    def __init__(self, world, stack, token):
        super().__init__(daemon=True)
        self.world, self.stack, self.token = world, stack, token
        self.control = world.control
        self.place = Place(world, world.region(stack.region), stack)

    def tell(self, status, reason=None):
        with self.world.lock:
            self.stack.tell(status, reason, self.token)

    def event(self, resource, status, reason=None):
        with self.world.lock:
            resource.status, resource.reason, resource.updated = status, reason, now()
            self.stack.event(resource.logical, resource.physical, resource.kind, status, reason, self.token)

    def pause(self):
        time.sleep(self.control.pace)

    def remove(self, resource, skip=()):
        """Deletes a resource, or keeps it where its policy says so. False when that fails."""
        kept = resource.definition.get("DeletionPolicy", "Delete")
        if "Retain" in (kept, *skip) or resource.logical in skip:
            self.event(resource, "DELETE_SKIPPED")
            return True
        self.control.wait_before(resource.logical)
        self.event(resource, "DELETE_IN_PROGRESS")
        self.pause()
        try:
            if reason := self.control.failure(resource.logical, "DELETE"):
                raise Failed(reason)
            if resource.physical:
                kind_of(resource.kind).delete(self.place, resource)
        except Failed as failed:
            self.event(resource, "DELETE_FAILED", str(failed))
            return False
        self.event(resource, "DELETE_COMPLETE")
        return True

    def remove_all(self, resources, skip=()):
        """Deletes resources, last made first, and names those that could not be. A resource that one of them needs
        stays as well."""
        stuck, needed = [], set()
        with self.world.lock:
            definitions = {one.logical: one.definition for one in resources}
            ordered = [name for level in reversed(levels(definitions)) for name in level]
        by_name = {one.logical: one for one in resources}
        for logical in ordered:
            if logical in needed:
                needed |= needs(by_name[logical].definition)
            elif self.remove(by_name[logical], skip):
                with self.world.lock:
                    if self.stack.resources.get(logical) is by_name[logical]:
                        del self.stack.resources[logical]
            else:
                stuck.append(logical)
                needed |= needs(by_name[logical].definition)
        return stuck


def needs(definition):
    """What a resource needs, which cannot go before it."""
    return set(references(definition))


class Apply(Operation):
    """The execution of a change set."""

    def __init__(self, world, stack, plan, creates):
        super().__init__(world, stack, plan.token)
        self.plan, self.creates, self.done = plan, creates, Done()
        self.verb = "CREATE" if creates else "UPDATE"
        self.before = copy.copy(stack.resources)
        self.evaluation = Evaluation(stack, plan.template, plan.parameters, stack.attribute)

    def begin(self):
        """Says that it begins, before the call that began it is answered."""
        self.tell(f"{self.verb}_IN_PROGRESS", "User Initiated")
        self.start()

    def run(self):
        try:
            definitions = self.evaluation.definitions()
            for level in levels(definitions):
                self.apply_level({name: definitions[name] for name in level})
            self.check_alarms()
            outputs = self.outputs()
        except Broken as broken:
            self.fail(broken)
            return
        with self.world.lock:
            for name in ("text", "template", "parameters", "tags", "capabilities", "notifications", "rollback"):
                setattr(self.stack, name, getattr(self.plan, name))
            self.stack.outputs = outputs
        if not self.creates:
            self.tell("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            # What cannot be cleaned up is left, and the update is complete all the same.
            gone = [one for name, one in self.before.items() if name not in definitions]
            self.remove_all(gone)
            with self.world.lock:
                for one in gone:
                    self.stack.resources.pop(one.logical, None)
            self.clean_up([old for old, _ in self.done.replaced], "UpdateReplacePolicy")
        self.tell(f"{self.verb}_COMPLETE")

    def apply_level(self, definitions):
        steps = [step for step in map(self.begin_step, definitions, definitions.values()) if step]
        for number, step in enumerate(steps):
            self.pause()
            try:
                self.finish(step)
            except Exception as failed:
                if not isinstance(failed, Failed):
                    traceback.print_exc()
                self.event(step.resource, f"{event_word(step)}_FAILED", str(failed))
                others = steps[number + 1:]
                for other in others:
                    word = event_word(other)
                    self.event(other.resource, f"{word}_FAILED", f"Resource {'creation' if word == 'CREATE' else 'update'} cancelled")
                    self.remember(other)
                self.remember(step)
                raise Broken([one.resource.logical for one in [step, *others]], event_word(step).lower()) from failed

    def begin_step(self, logical, definition):
        """Begins with a resource, unless there is nothing to do about it."""
        with self.world.lock:
            properties = self.evaluation.value(definition.get("Properties", {}))
        old = self.before.get(logical)
        if old is None:
            self.control.wait_before(logical)
            resource = Resource(logical, definition["Type"], definition, properties)
            with self.world.lock:
                self.stack.resources[logical] = resource
            self.event(resource, "CREATE_IN_PROGRESS")
            return Step("CREATE", resource, definition, properties)
        changed = [name for name in set(old.properties) | set(properties)
                   if not same(old.properties.get(name), properties.get(name))]
        if not changed and old.kind == definition["Type"]:
            old.definition = definition
            return None
        self.control.wait_before(logical)
        words = [recreation(self.stack.region, old.kind, name, old.properties.get(name), properties.get(name))
                 for name in changed]
        if "Always" in words or old.kind != definition["Type"]:
            self.event(old, "UPDATE_IN_PROGRESS", REPLACED)
            resource = Resource(logical, definition["Type"], definition, properties, status="UPDATE_IN_PROGRESS")
            return Step("REPLACE", resource, definition, properties, old)
        self.event(old, "UPDATE_IN_PROGRESS")
        return Step("UPDATE", old, definition, properties, copy.copy(old))

    def finish(self, step):
        resource, kind = step.resource, kind_of(step.resource.kind)
        if step.word != "CREATE" and (why := policy.denial(self.stack.policy, resource.logical, resource.kind, step.word)):
            raise Failed(why)
        if reason := self.control.failure(resource.logical, event_word(step)):
            raise Failed(reason)
        if step.word == "UPDATE":
            kind.update(self.place, resource, step.properties)
            with self.world.lock:
                resource.definition, resource.properties = step.definition, step.properties
        else:
            physical, attributes = kind.create(self.place, resource.logical, resource.kind, step.properties)
            with self.world.lock:
                resource.physical, resource.attributes = physical, attributes
                self.stack.resources[resource.logical] = resource
            if step.word == "CREATE":
                self.event(resource, "CREATE_IN_PROGRESS", "Resource creation Initiated")
        self.remember(step)
        self.event(resource, f"{event_word(step)}_COMPLETE")

    def remember(self, step):
        if step.word == "CREATE":
            self.done.made.append(step.resource)
        elif step.word == "UPDATE":
            self.done.changed.append((step.old, step.resource))
        else:
            self.done.replaced.append((step.old, step.resource))

    def check_alarms(self):
        """A trigger in ALARM at the end of an operation takes it back."""
        triggers = [one["Arn"].split(":alarm:")[-1] for one in self.plan.rollback.get("RollbackTriggers", [])]
        if not triggers:
            return
        alarms = self.place.call("monitoring", "DescribeAlarms", AlarmNames=triggers)["MetricAlarms"]
        if red := [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]:
            raise Broken(red, "alarm")

    def outputs(self):
        with self.world.lock:
            declared = self.plan.template.get("Outputs", {}).items()
            return {
                name: {**one, "Value": self.evaluation.value(one["Value"])}
                for name, one in declared
                if "Condition" not in one or self.evaluation.condition(one["Condition"])
            }

    def fail(self, broken):
        """Takes back what was done, if that is wanted."""
        why = f"The following resource(s) failed to {broken.word}: [{broken}]. "
        if broken.word == "alarm":
            why = f"Rollback triggered because of alarm(s) in ALARM state: [{broken}]. "
        if self.plan.on_failure == "DO_NOTHING":
            self.tell(f"{self.verb}_FAILED", why)
        elif not self.creates:
            self.roll_back(why)
        elif self.plan.on_failure == "DELETE":
            Delete(self.world, self.stack, self.token).go(why + "Delete requested by user.")
        else:
            self.tell("ROLLBACK_IN_PROGRESS", why + "Rollback requested by user.")
            stuck = self.remove_made()
            if stuck:
                self.tell("ROLLBACK_FAILED", f"The following resource(s) failed to delete: [{', '.join(stuck)}]. ")
            else:
                self.tell("ROLLBACK_COMPLETE")

    def remove_made(self):
        """Deletes what this operation has made; what is to be retained only where the call has not said otherwise."""
        made = [copy.copy(one) for one in self.done.made]
        for one in made:
            self.stack.resources[one.logical] = one
            if self.plan.delete_new or one.definition.get("DeletionPolicy") in ("RetainExceptOnCreate", "Snapshot"):
                one.definition = {**one.definition, "DeletionPolicy": "Delete"}
            if reason := self.control.failing_rollback.get(one.logical):
                self.control.failing[one.logical] = (("DELETE",), reason)
        return self.remove_all(made)

    def roll_back(self, why):
        self.tell("UPDATE_ROLLBACK_IN_PROGRESS", why)
        self.continue_roll_back()

    def resume(self, token, skip):
        """Goes on with a way back that was stuck."""
        self.token = token
        self.tell("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
        threading.Thread(target=self.continue_roll_back, args=(skip,), daemon=True).start()

    def continue_roll_back(self, skip=()):
        """Gives changed resources their former properties, then removes those that are new."""
        while self.done.changed:
            former, resource = self.done.changed[-1]
            self.event(resource, "UPDATE_IN_PROGRESS")
            self.pause()
            reason = self.control.failing_rollback.get(resource.logical)
            if reason and resource.logical not in skip:
                self.event(resource, "UPDATE_FAILED", reason)
                self.tell("UPDATE_ROLLBACK_FAILED", f"The following resource(s) failed to update: [{resource.logical}]. ")
                self.stack.unfinished = self
                return
            if resource.logical not in skip:
                kind_of(resource.kind).update(self.place, resource, former.properties)
            with self.world.lock:
                resource.definition, resource.properties = former.definition, former.properties
            self.event(resource, "UPDATE_COMPLETE")
            self.done.changed.pop()
        for old, _ in self.done.replaced:
            self.event(old, "UPDATE_COMPLETE")
            self.stack.resources[old.logical] = old
        self.tell("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self.remove_made()
        for one in self.done.made:
            self.stack.resources.pop(one.logical, None)
        self.clean_up([new for _, new in self.done.replaced if new.physical], None)
        self.tell("UPDATE_ROLLBACK_COMPLETE")

    def clean_up(self, resources, key):
        """Deletes the former halves of replacements, or the new ones when they are taken back."""
        for one in resources:
            kept = one.definition.get(key, "Delete") if key else "Delete"
            spare = copy.copy(one)
            spare.definition = {**one.definition, "DeletionPolicy": kept}
            self.remove(spare)


def event_word(step):
    """A replacement is an update in the events."""
    return "UPDATE" if step.word == "REPLACE" else step.word


class Delete(Operation):
    """The deletion of a stack."""

    def __init__(self, world, stack, token, retain=()):
        super().__init__(world, stack, token)
        self.retain = retain

    def begin(self):
        self.tell("DELETE_IN_PROGRESS", "User Initiated")
        self.start()

    def run(self):
        self.go(None)

    def go(self, why):
        if why:
            self.tell("DELETE_IN_PROGRESS", why)
        stuck = self.remove_all(list(self.stack.resources.values()), self.retain)
        if stuck:
            self.tell("DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(stuck)}]. ")
            return
        with self.world.lock:
            self.stack.deleted = now()
            self.stack.tell("DELETE_COMPLETE", None, self.token)
