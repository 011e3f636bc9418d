"""The operations of CloudFormation."""

import uuid

from cloudformation import drift, parameters, templates
from cloudformation.change_sets import ChangeSets, shown_parameters
from cloudformation.operations import Delete
from cloudformation.pages import newest_first, page
from cloudformation.stacks import existing, find
from errors import invalid

PAGE = 100


class CloudFormation:
    """Each operation under its name, in Python's spelling."""

    def __init__(self, world):
        self.world = world
        sets = ChangeSets(world)
        self.create_change_set, self.describe_change_set = sets.create, sets.describe
        self.execute_change_set, self.delete_change_set = sets.execute, sets.delete
        self.list_change_sets = sets.list

    def stack(self, request, message="Stack with id {} does not exist"):
        return existing(self.world.region(request.region), request.parameters["StackName"], message)

    def describe_stacks(self, request):
        if request.parameters.get("StackName"):
            return {"Stacks": [described(self.stack(request))]}
        stacks = [one for one in self.world.region(request.region).stacks if one.status != "DELETE_COMPLETE"]
        return {"Stacks": [described(one) for one in stacks]}

    def list_stacks(self, request):
        wanted = request.parameters.get("StackStatusFilter")
        stacks = [one for one in self.world.region(request.region).stacks if not wanted or one.status in wanted]
        return {"StackSummaries": [
            {"StackId": one.id, "StackName": one.name, "CreationTime": one.created, "LastUpdatedTime": one.updated,
             "DeletionTime": one.deleted, "StackStatus": one.status, "StackStatusReason": one.reason,
             "TemplateDescription": one.template.get("Description")}
            for one in stacks
        ]}

    def describe_stack_events(self, request):
        stack = self.stack(request, "Stack [{}] does not exist")
        shown, token = newest_first(stack.events, request.parameters, PAGE)
        return {"StackEvents": shown, "NextToken": token}

    def describe_stack_resources(self, request):
        stack = self.stack(request)
        wanted = request.parameters.get("LogicalResourceId")
        return {"StackResources": [
            {"StackName": stack.name, "StackId": stack.id, "Timestamp": one.updated, **resource_said(one)}
            for one in stack.resources.values() if wanted in (None, one.logical)
        ]}

    def describe_stack_resource(self, request):
        stack, logical = self.stack(request), request.parameters["LogicalResourceId"]
        if logical not in stack.resources:
            raise invalid(f"Resource {logical} does not exist for stack {stack.name}")
        one = stack.resources[logical]
        return {"StackResourceDetail": {"StackName": stack.name, "StackId": stack.id,
                                        "LastUpdatedTimestamp": one.updated, **resource_said(one)}}

    def list_stack_resources(self, request):
        stack = self.stack(request)
        every = [{"LastUpdatedTimestamp": one.updated, **resource_said(one)} for one in stack.resources.values()]
        shown, token = page(every, request.parameters, PAGE)
        return {"StackResourceSummaries": shown, "NextToken": token}

    def get_template(self, request):
        stack = self.stack(request)
        if name := request.parameters.get("ChangeSetName"):
            text = next((one.plan.text for one in stack.change_sets if name in (one.name, one.id)), stack.text)
            return {"TemplateBody": text}
        if stack.status == "REVIEW_IN_PROGRESS":
            raise invalid(f"Stack with id {stack.name} does not exist")
        return {"TemplateBody": stack.text, "StagesAvailable": ["Original", "Processed"]}

    def get_template_summary(self, request):
        said = request.parameters
        named = "StackName" in said
        text = self.stack(request).text if named else templates.text_of(self.world, request.region, said)
        template = templates.parse(text)
        declared = [
            {"ParameterKey": name, "ParameterType": one["Type"], "Description": one.get("Description"),
             "DefaultValue": parameters.text(one["Default"]) if "Default" in one else None}
            for name, one in template.get("Parameters", {}).items()
        ]
        kinds = sorted({one["Type"] for one in template["Resources"].values()})
        return {"Parameters": declared, "Description": template.get("Description"), "ResourceTypes": kinds}

    def validate_template(self, request):
        template = templates.parse(templates.text_of(self.world, request.region, request.parameters))
        names = [{"ParameterKey": name} for name in template.get("Parameters", {})]
        return {"Parameters": names, "Description": template.get("Description")}

    def delete_stack(self, request):
        said = request.parameters
        stack = find(self.world.region(request.region), said["StackName"])
        if stack is None or stack.status == "DELETE_COMPLETE":
            return {}
        if stack.protected:
            raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        if stack.status == "DELETE_IN_PROGRESS":
            return {}
        if stack.busy():
            raise invalid(f"Stack [{stack.id}] cannot be deleted while in status {stack.status}")
        retain = said.get("RetainResources", [])
        if retain and stack.status != "DELETE_FAILED":
            raise invalid(f"Stack {stack.name} is in {stack.status} state. Retain resources only in DELETE_FAILED state")
        Delete(self.world, stack, said.get("ClientRequestToken"), tuple(retain)).begin()
        return {}

    def continue_update_rollback(self, request):
        stack = self.stack(request, "Stack [{}] does not exist")
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
        stack.unfinished.resume(request.parameters.get("ClientRequestToken"),
                                tuple(request.parameters.get("ResourcesToSkip", [])))
        return {}

    def update_termination_protection(self, request):
        stack = self.stack(request, "Stack [{}] does not exist")
        stack.protected = request.parameters["EnableTerminationProtection"]
        return {"StackId": stack.id}

    def set_stack_policy(self, request):
        self.stack(request, "Stack [{}] does not exist").policy = request.parameters["StackPolicyBody"]
        return {}

    def get_stack_policy(self, request):
        return {"StackPolicyBody": self.stack(request, "Stack [{}] does not exist").policy}

    def detect_stack_drift(self, request):
        stack = self.stack(request, "Stack [{}] does not exist")
        if stack.busy() or stack.status == "REVIEW_IN_PROGRESS":
            raise invalid(f"Stack [{stack.name}] cannot be drift detected in state {stack.status}")
        return {"StackDriftDetectionId": drift.begin(stack, str(uuid.uuid4()))}

    def describe_stack_drift_detection_status(self, request):
        wanted = request.parameters["StackDriftDetectionId"]
        return drift.status(self.world, request.region, wanted)

    def describe_stack_resource_drifts(self, request):
        return drift.resources(self.world, self.stack(request), request.parameters)


def described(stack):
    """A stack as DescribeStacks says it."""
    outputs = [{"OutputKey": name, "OutputValue": one["Value"], "Description": one.get("Description")}
               for name, one in stack.outputs.items()]
    values = shown_parameters(stack)
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "Description": stack.template.get("Description"),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "RollbackConfiguration": stack.rollback,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
        "DisableRollback": False,
        "NotificationARNs": stack.notifications,
        "Capabilities": stack.capabilities,
        "Outputs": outputs,
        "Tags": stack.tags,
        "EnableTerminationProtection": stack.protected,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }


def resource_said(one):
    """A resource as answers say it."""
    return {
        "LogicalResourceId": one.logical,
        "PhysicalResourceId": one.physical or None,
        "ResourceType": one.kind,
        "ResourceStatus": one.status,
        "ResourceStatusReason": one.reason,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }
