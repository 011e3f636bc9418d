"""Task definitions and tasks: registered, run, and at their end after what a test has decided for them."""

import threading
import time
import uuid
from dataclasses import dataclass, field

from errors import Refused
from wire import now

# What a task without a network of its own is refused for, in ECS's words.
NO_NETWORK = "Network Configuration must be provided when networkMode 'awsvpc' is specified."


@dataclass
class Task:
    """A task with the answer that DescribeTasks gives of it."""

    said: dict
    definition: dict
    decided: dict = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)


def register(region, said):
    """A new revision of a family."""
    family = said["family"]
    revisions = region.task_definitions.setdefault(family, [])
    number = len(revisions) + 1
    tags = said.pop("tags", None)
    definition = {
        **said,
        "taskDefinitionArn": region.arn("ecs", f"task-definition/{family}:{number}"),
        "revision": number,
        "status": "ACTIVE",
        "registeredAt": now(),
        "volumes": said.get("volumes", []),
    }
    revisions.append((definition, tags or []))
    return definition


def find_definition(region, name):
    """A task definition by its ARN, `family:revision`, or the newest of a family, with its tags."""
    family, _, number = name.rpartition("/")[2].partition(":")
    revisions = region.task_definitions.get(family, [])
    if number:
        if number.isdigit() and 0 < int(number) <= len(revisions):
            return revisions[int(number) - 1]
    elif active := [one for one in revisions if one[0]["status"] == "ACTIVE"]:
        return active[-1]
    raise Refused("ClientException", "Unable to describe task definition.")


def deregister(region, name):
    definition, _ = find_definition(region, name)
    definition["status"] = "INACTIVE"
    return definition


def make(region, cluster, definition, **more):
    """A task before its life."""
    name = uuid.uuid4().hex
    arn = region.arn("ecs", f"task/{cluster}/{name}")
    containers = [
        {"containerArn": region.arn("ecs", f"container/{cluster}/{name}/{uuid.uuid4()}"), "taskArn": arn,
         "name": one["name"], "image": one.get("image"), "lastStatus": "PENDING"}
        for one in definition["containerDefinitions"]
    ]
    said = {
        "taskArn": arn,
        "clusterArn": region.arn("ecs", f"cluster/{cluster}"),
        "taskDefinitionArn": definition["taskDefinitionArn"],
        "containers": containers,
        "createdAt": now(),
        "desiredStatus": "RUNNING",
        "lastStatus": "PROVISIONING",
        "launchType": "FARGATE",
        **{key: value for key, value in more.items() if value is not None},
    }
    task = Task(said, definition)
    region.tasks[arn] = task
    return task


def live(world, region, task):
    """The life of a task that is run once, in a thread of its own."""
    threading.Thread(target=run_once, args=(world, region, task), daemon=True).start()


def run_once(world, region, task):
    decided = task.decided
    step(world, task, "PENDING")
    if decided.get("stopped_reason") and "exit_code" not in decided:
        ended(world, task, decided.get("stop_code", "TaskFailedToStart"), decided["stopped_reason"], None)
        return
    step(world, task, "RUNNING")
    write_log(world, region, task, decided.get("log", []))
    if decided.get("hold"):
        world.control.wait_for_tasks(task.stop)
    else:
        task.stop.wait(world.control.pace * 5)
    if task.stop.is_set():
        return
    write_log(world, region, task, decided.get("last_log", []))
    reason = decided.get("stopped_reason", "Essential container in task exited")
    ended(world, task, decided.get("stop_code", "EssentialContainerExited"), reason, decided.get("exit_code", 0))


def step(world, task, status):
    """The next status, after a moment."""
    time.sleep(world.control.pace * 5)
    with world.lock:
        if task.said["lastStatus"] == "STOPPED":
            return
        task.said["lastStatus"] = status
        for container in task.said["containers"]:
            container["lastStatus"] = status
        if status == "RUNNING":
            task.said |= {"startedAt": now(), "connectivity": "CONNECTED", "healthStatus": "UNKNOWN"}


def ended(world, task, code, reason, exit_code):
    """The last status."""
    with world.lock:
        if task.said["lastStatus"] == "STOPPED":
            return
        task.said |= {"lastStatus": "STOPPED", "desiredStatus": "STOPPED", "stoppedAt": now(), "stoppingAt": now(),
                      "stopCode": code, "stoppedReason": reason}
        for container in task.said["containers"]:
            container["lastStatus"] = "STOPPED"
            if exit_code is not None:
                container["exitCode"] = exit_code
            elif code == "TaskFailedToStart":
                container["reason"] = reason


def stop(world, task, code, reason):
    """Stops a running task, as SIGTERM does."""
    task.stop.set()
    world.control.nudge()
    ended(world, task, code, reason, 143)


def write_log(world, region, task, lines):
    """Lines in the stream that the log driver makes for the first container."""
    container = task.definition["containerDefinitions"][0]
    options = container.get("logConfiguration", {}).get("options", {})
    if not options.get("awslogs-group"):
        return
    group, where = options["awslogs-group"], options.get("awslogs-region", region.name)
    prefix, identity = options.get("awslogs-stream-prefix", "ecs"), task.said["taskArn"].rpartition("/")[2]
    stream = f"{prefix}/{container['name']}/{identity}"
    try:
        world.inside.call(where, "logs", "CreateLogStream", logGroupName=group, logStreamName=stream)
    except Refused:
        pass  # It is there, or its group is not, and then nothing of the lines is kept.
    events = [{"timestamp": int(time.time() * 1000), "message": line} for line in lines]
    try:
        if events:
            world.inside.call(where, "logs", "PutLogEvents", logGroupName=group, logStreamName=stream, logEvents=events)
    except Refused:
        pass
