"""Stack policies: which updates of which resources they deny."""

import fnmatch
import json

ACTIONS = {"CREATE": "Update:Modify", "UPDATE": "Update:Modify", "REPLACE": "Update:Replace", "DELETE": "Update:Delete"}


def denial(policy, logical, kind, word):
    """Why a change is denied, or nothing. What no statement allows is denied, as soon as there is a policy."""
    if not policy:
        return None
    action, allowed = ACTIONS[word], False
    for number, statement in enumerate(json.loads(policy)["Statement"], start=1):
        if not about(statement, logical, kind, action):
            continue
        if statement["Effect"] == "Deny":
            return (f"Action denied by stack policy: Statement [#{number}] does not allow [{action}] "
                    f"for resource [{logical}]")
        allowed = True
    return None if allowed else f"Action not allowed by stack policy: [{action}] for resource [{logical}]"


def about(statement, logical, kind, action):
    """Whether a statement is about this action on this resource."""
    kinds = [one for test in statement.get("Condition", {}).values() for one in several(test.get("ResourceType", []))]
    return (
        any(fnmatch.fnmatchcase(action, pattern) for pattern in several(statement["Action"]))
        and any(fnmatch.fnmatchcase(f"LogicalResourceId/{logical}", one) for one in several(statement["Resource"]))
        and (not kinds or any(fnmatch.fnmatchcase(kind, pattern) for pattern in kinds))
    )


def several(value):
    return value if isinstance(value, list) else [value]
