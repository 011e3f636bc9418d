"""Drift: what a test says has been changed by hand, found as AWS finds it."""

import json
import time

from errors import invalid
from wire import now

MOMENT = 0.03


def begin(stack, identity):
    stack.drifts[identity] = (time.monotonic(), now())
    return identity


def status(world, region, identity):
    for stack in world.region(region).stacks:
        if identity in stack.drifts:
            began, moment = stack.drifts[identity]
            said = {"StackId": stack.id, "StackDriftDetectionId": identity, "Timestamp": moment,
                    "DetectionStatus": "DETECTION_IN_PROGRESS"}
            if time.monotonic() - began > MOMENT:
                number = len({one["resource"] for one in world.control.drift})
                said |= {"DetectionStatus": "DETECTION_COMPLETE", "DriftedStackResourceCount": number,
                         "StackDriftStatus": "DRIFTED" if number else "IN_SYNC"}
            return said
    raise invalid(f"Drift detection {identity} does not exist")


def resources(world, stack, said):
    """The resources that have drifted, and those that have not, as far as the call asks for them."""
    wanted = said.get("StackResourceDriftStatusFilters")
    drifts = []
    for resource in stack.resources.values():
        found = [one for one in world.control.drift if one["resource"] == resource.logical]
        state = "MODIFIED" if found else "IN_SYNC"
        if found and found[0].get("deleted"):
            state, found = "DELETED", []
        if wanted and state not in wanted:
            continue
        drifts.append({
            "StackId": stack.id,
            "LogicalResourceId": resource.logical,
            "PhysicalResourceId": resource.physical,
            "ResourceType": resource.kind,
            "StackResourceDriftStatus": state,
            "ExpectedProperties": json.dumps(resource.properties),
            "ActualProperties": json.dumps(resource.properties),
            "Timestamp": now(),
            "PropertyDifferences": [
                {"PropertyPath": f"/{one['property']}", "ExpectedValue": one["expected"],
                 "ActualValue": one["actual"], "DifferenceType": "NOT_EQUAL"}
                for one in found
            ],
        })
    return {"StackResourceDrifts": drifts}
