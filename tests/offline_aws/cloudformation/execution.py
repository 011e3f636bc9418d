"""The execution of a change set: resource by resource, level by level, and back when one fails."""

import copy
import traceback
from dataclasses import dataclass

from cloudformation import policy
from cloudformation.difference import same
from cloudformation.intrinsics import Evaluation
from cloudformation.kind import Failed
from cloudformation.resources import kind_of
from cloudformation.schemas import recreation
from cloudformation.stacks import Resource
from cloudformation.templates import levels
from cloudformation.way_back import Broken, Done, WayBack

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


@dataclass
class Step:
    """One resource on its way."""

    word: str
    resource: Resource
    definition: dict
    properties: dict
    old: Resource | None = None


class Apply(WayBack):
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
            self.check_removals([one for name, one in self.before.items() if name not in definitions])
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
                    noun = "creation" if word == "CREATE" else "update"
                    self.event(other.resource, f"{word}_FAILED", f"Resource {noun} cancelled")
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
        denied = policy.denial(self.stack.policy, resource.logical, resource.kind, step.word)
        if step.word != "CREATE" and denied:
            raise Failed(denied)
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

    def check_removals(self, gone):
        """A stack policy protects resources from being left out as well."""
        for one in gone:
            if denied := policy.denial(self.stack.policy, one.logical, one.kind, "DELETE"):
                self.event(one, "DELETE_FAILED", denied)
                raise Broken([one.logical], "delete")

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


def event_word(step):
    """A replacement is an update in the events."""
    return "UPDATE" if step.word == "REPLACE" else step.word
