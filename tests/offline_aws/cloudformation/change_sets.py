"""Change sets: made, described, executed and deleted."""

import time
import uuid
from dataclasses import dataclass, field

from cloudformation import parameters, templates
from cloudformation.difference import changes
from cloudformation.intrinsics import Evaluation
from cloudformation.execution import Apply, Plan
from cloudformation.pages import page
from cloudformation.stacks import existing, find, new
from errors import Refused, invalid
from wire import now

NOTHING = ("The submitted information didn't contain changes. "
           "Submit different information to create a change set.")
UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
# A change set takes a moment, in which whoever asks for it has to ask again.
MOMENT = 0.03


@dataclass
class ChangeSet:
    """A change set, whose `plan` its execution carries out."""

    name: str
    id: str
    kind: str
    plan: Plan
    changes: list
    description: str | None = None
    status: str = "CREATE_COMPLETE"
    reason: str | None = None
    execution: str = "AVAILABLE"
    created: object = field(default_factory=now)
    born: float = field(default_factory=time.monotonic)

    def ready(self):
        return time.monotonic() - self.born > MOMENT


class ChangeSets:
    """The calls about change sets."""

    def __init__(self, world):
        self.world = world

    def create(self, request):
        said, region = request.parameters, self.world.region(request.region)
        kind = said.get("ChangeSetType", "UPDATE")
        stack = find(region, said["StackName"])
        check_stack(stack, said, kind)
        as_before = said.get("UsePreviousTemplate") and stack
        text = stack.text if as_before else templates.text_of(self.world, request.region, said)
        template = templates.parse(text)
        given = said.get("Parameters", [])
        values = parameters.resolve(template, given, stack.parameters if stack else {})
        templates.check_capabilities(template, said.get("Capabilities", []))
        if stack is None:
            stack = new(region, said["StackName"])
            stack.tell("REVIEW_IN_PROGRESS", "User Initiated")
        if any(one.name == said["ChangeSetName"] for one in stack.change_sets if one.execution != "EXECUTE_COMPLETE"):
            raise Refused("AlreadyExistsException", f"ChangeSet {said['ChangeSetName']} already exists")
        plan = Plan(
            text, template, values, said.get("Tags", stack.tags), said.get("Capabilities", []),
            said.get("NotificationARNs", stack.notifications), said.get("RollbackConfiguration", stack.rollback),
            said.get("OnStackFailure", "ROLLBACK"), said.get("RetainExceptOnCreate", False),
        )
        evaluation = Evaluation(stack, template, values, stack.attribute)
        found = changes(stack, evaluation)
        own = region.arn("cloudformation", f"changeSet/{said['ChangeSetName']}/{uuid.uuid4()}")
        change_set = ChangeSet(said["ChangeSetName"], own, kind, plan, found, said.get("Description"))
        if kind == "UPDATE" and not found and not changes_besides(stack, plan, evaluation):
            change_set.status, change_set.reason, change_set.execution = "FAILED", NOTHING, "UNAVAILABLE"
        stack.change_sets.append(change_set)
        return {"Id": own, "StackId": stack.id}

    def describe(self, request):
        said = request.parameters
        stack, change_set = self.find(request)
        values = said.get("IncludePropertyValues", False)
        ready = change_set.ready()
        shown, token = page([change.said(values) for change in change_set.changes] if ready else [], said, 100)
        return {
            "ChangeSetName": change_set.name,
            "ChangeSetId": change_set.id,
            "StackId": stack.id,
            "StackName": stack.name,
            "Description": change_set.description,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value}
                           for key, value in shown_parameters(change_set.plan).items()],
            "CreationTime": change_set.created,
            "ExecutionStatus": change_set.execution if ready else "UNAVAILABLE",
            "Status": change_set.status if ready else "CREATE_PENDING",
            "StatusReason": change_set.reason if ready else None,
            "NotificationARNs": change_set.plan.notifications,
            "RollbackConfiguration": change_set.plan.rollback,
            "Capabilities": change_set.plan.capabilities,
            "Tags": change_set.plan.tags,
            "Changes": shown,
            "NextToken": token,
            "OnStackFailure": change_set.plan.on_failure,
        }

    def execute(self, request):
        said = request.parameters
        stack, change_set = self.find(request)
        if not change_set.ready() or change_set.execution != "AVAILABLE":
            status = change_set.status if change_set.execution in ("AVAILABLE", "UNAVAILABLE") else change_set.execution
            raise Refused("InvalidChangeSetStatus",
                          f"ChangeSet [{change_set.id}] cannot be executed in its current status of [{status}]")
        if stack.busy():
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        change_set.execution = "EXECUTE_COMPLETE"
        stack.change_sets = [change_set]
        change_set.plan.token = said.get("ClientRequestToken")
        if said.get("DisableRollback"):
            change_set.plan.on_failure = "DO_NOTHING"
        change_set.plan.delete_new |= bool(said.get("RetainExceptOnCreate"))
        stack.updated = None if change_set.kind == "CREATE" else now()
        if change_set.kind == "CREATE":
            stack.created = now()
        Apply(self.world, stack, change_set.plan, change_set.kind == "CREATE").begin()
        return {}

    def delete(self, request):
        stack, change_set = self.find(request)
        stack.change_sets.remove(change_set)
        return {}

    def list(self, request):
        stack = existing(self.world.region(request.region), request.parameters["StackName"],
                         "Stack [{}] does not exist")
        summaries = [
            {"StackId": stack.id, "StackName": stack.name, "ChangeSetId": one.id, "ChangeSetName": one.name,
             "ExecutionStatus": one.execution, "Status": one.status, "StatusReason": one.reason,
             "CreationTime": one.created, "Description": one.description}
            for one in stack.change_sets if one.execution != "EXECUTE_COMPLETE"
        ]
        return {"Summaries": summaries}

    def find(self, request):
        said, region = request.parameters, self.world.region(request.region)
        name = said["ChangeSetName"]
        stacks = region.stacks
        if "StackName" in said:
            stacks = [existing(region, said["StackName"], "Stack [{}] does not exist")]
        for stack in stacks:
            for one in reversed(stack.change_sets):
                if name in (one.name, one.id):
                    return stack, one
        raise Refused("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)


def check_stack(stack, said, kind):
    """Refuses a change set for a stack that is not in a state for it."""
    name = said["StackName"]
    if kind == "CREATE":
        if stack and stack.status != "REVIEW_IN_PROGRESS":
            raise invalid(f"Stack [{name}] already exists and cannot be created again with the changeSet "
                          f"[{said['ChangeSetName']}].")
    elif stack is None:
        raise invalid(f"Stack [{name}] does not exist")
    elif stack.status not in UPDATABLE:
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def changes_besides(stack, plan, evaluation):
    """Whether something other than a resource changes: outputs, tags or topics."""
    before = {name: one["Value"] for name, one in stack.outputs.items()}
    after = {
        name: evaluation.value(one["Value"])
        for name, one in plan.template.get("Outputs", {}).items()
        if "Condition" not in one or evaluation.condition(one["Condition"])
    }
    return before != after or plan.tags != stack.tags or plan.notifications != stack.notifications


def shown_parameters(plan):
    """Parameters as answers show them: those that nobody may see as stars."""
    declared = plan.template.get("Parameters", {})
    return {key: "****" if declared[key].get("NoEcho") in (True, "true") else value
            for key, value in plan.parameters.items()}
