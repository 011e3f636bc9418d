"""Services: their deployments, their tasks, and the circuit breaker that gives a deployment up."""

import random
import time
import uuid

from ecs import tasks
from errors import Refused
from wire import now

# As many tasks have to fail before the circuit breaker of a small service gives up.
THRESHOLD = 3
NEVER_HEALTHY = "Essential container in task exited"


class Services:
    """The services of a region."""

    def __init__(self, world, region):
        self.world, self.region = world, region

    def find(self, cluster, name):
        """A service by its name or ARN."""
        short = name.rpartition("/")[2]
        service = self.region.services.get((cluster.rpartition("/")[2], short))
        return service if service and service["status"] != "INACTIVE" else None

    def create(self, said):
        """A service with its first deployment, whose tasks are still to come."""
        cluster, name = said.get("cluster", "default").rpartition("/")[2], said["serviceName"]
        with self.world.lock:
            if cluster not in self.region.clusters:
                raise Refused("ClusterNotFoundException", "Cluster not found.")
            service = {
                "serviceArn": self.region.arn("ecs", f"service/{cluster}/{name}"),
                "serviceName": name,
                "clusterArn": self.region.arn("ecs", f"cluster/{cluster}"),
                "status": "ACTIVE",
                "desiredCount": int(said.get("desiredCount", 1)),
                "runningCount": 0,
                "pendingCount": 0,
                "deployments": [],
                "events": [],
                "createdAt": now(),
                **{key: said[key] for key in ("loadBalancers", "networkConfiguration", "capacityProviderStrategy",
                                              "deploymentConfiguration", "healthCheckGracePeriodSeconds",
                                              "propagateTags", "enableECSManagedTags") if key in said},
            }
            self.region.services[cluster, name] = service
            self.deploy(service, said["taskDefinition"])
        return service

    def change(self, arn, said):
        """A service with other properties: another task definition is another deployment."""
        cluster = arn.split("/")[-2]
        with self.world.lock:
            service = self.find(cluster, arn)
            if service is None:
                raise Refused("ServiceNotFoundException", "Service not found.")
            for key in ("networkConfiguration", "deploymentConfiguration", "healthCheckGracePeriodSeconds"):
                if key in said:
                    service[key] = said[key]
            if said.get("desiredCount") is not None:
                service["desiredCount"] = int(said["desiredCount"])
            wanted = said.get("taskDefinition", service["taskDefinition"])
            if wanted != service["taskDefinition"] or said.get("forceNewDeployment"):
                self.deploy(service, wanted)
            return service

    def deploy(self, service, definition):
        """A new primary deployment beside those that still run."""
        found, _ = tasks.find_definition(self.region, definition)
        for deployment in service["deployments"]:
            deployment["status"] = "ACTIVE"
        own = f"ecs-svc/{random.randint(10**18, 10**19)}"
        service["taskDefinition"] = found["taskDefinitionArn"]
        service["deployments"].insert(0, {
            "id": own, "status": "PRIMARY", "taskDefinition": found["taskDefinitionArn"],
            "desiredCount": service["desiredCount"], "pendingCount": 0, "runningCount": 0, "failedTasks": 0,
            "createdAt": now(), "updatedAt": now(), "launchType": "FARGATE", "rolloutState": "IN_PROGRESS",
            "rolloutStateReason": f"ECS deployment {own} in progress.",
        })

    def roll_out(self, service):
        """Starts the tasks of the primary deployment, and waits for them. False when they do not stay."""
        primary = service["deployments"][0]
        if primary["rolloutState"] == "COMPLETED":
            return True
        trouble = self.world.control.service
        if trouble:
            return self.give_up(service, primary, trouble)
        self.fill(service, primary)
        self.pause()
        with self.world.lock:
            for former in service["deployments"][1:]:
                self.drain(service, former)
            service["deployments"] = [primary]
            primary |= {"rolloutState": "COMPLETED", "updatedAt": now(),
                        "rolloutStateReason": f"ECS deployment {primary['id']} completed."}
            self.event(service, f"(deployment {primary['id']}) deployment completed.")
            self.event(service, "has reached a steady state.")
        return True

    def give_up(self, service, primary, trouble):
        """Tasks that end one after the other, until the circuit breaker has seen enough."""
        for _ in range(THRESHOLD):
            task = self.start(service, primary, "PENDING")
            self.pause()
            code = trouble.get("exit_code")
            reason = trouble.get("stopped_reason", NEVER_HEALTHY)
            usual = "TaskFailedToStart" if code is None else "EssentialContainerExited"
            stop_code = trouble.get("stop_code", usual)
            if code is not None:
                tasks.write_log(self.world, self.region, task, trouble.get("log", []))
            tasks.ended(self.world, task, stop_code, reason, code)
            with self.world.lock:
                primary["failedTasks"] += 1
                self.count(service)
        with self.world.lock:
            primary |= {"rolloutState": "FAILED", "updatedAt": now(), "desiredCount": 0,
                        "rolloutStateReason": "ECS deployment circuit breaker: tasks failed to start."}
            self.event(service, f"(deployment {primary['id']}) deployment failed: tasks failed to start.")
            breaker = service.get("deploymentConfiguration", {}).get("deploymentCircuitBreaker", {})
            if len(service["deployments"]) > 1 and str(breaker.get("rollback")).lower() == "true":
                former = service["deployments"][1]
                self.event(service, f"rolling back to deployment {former['id']}.")
                service["taskDefinition"] = former["taskDefinition"]
                former |= {"status": "PRIMARY", "rolloutState": "COMPLETED", "updatedAt": now(), "rolloutStateReason":
                           f"ECS deployment circuit breaker: rolling back to deploymentId {former['id']}."}
                primary["status"] = "ACTIVE"
                service["deployments"][:2] = [former, primary]
        return False

    def fill(self, service, deployment):
        """Starts tasks until as many run as are wanted."""
        while deployment["runningCount"] < service["desiredCount"]:
            task = self.start(service, deployment, "PENDING")
            self.pause()
            tasks.step(self.world, task, "RUNNING")
            with self.world.lock:
                task.said["healthStatus"] = "HEALTHY"
                self.count(service)

    def start(self, service, deployment, status):
        definition, _ = tasks.find_definition(self.region, deployment["taskDefinition"])
        cluster = service["clusterArn"].rpartition("/")[2]
        with self.world.lock:
            task = tasks.make(self.region, cluster, definition, group=f"service:{service['serviceName']}",
                              startedBy=deployment["id"], lastStatus=status)
            self.event(service, f"has started 1 tasks: (task {task.said['taskArn'].rpartition('/')[2]}).")
            self.count(service)
        return task

    def drain(self, service, deployment):
        """Stops the tasks of a deployment that is over."""
        for task in self.of(deployment):
            tasks.stop(self.world, task, "ServiceSchedulerInitiated",
                       f"Scaling activity initiated by (deployment {deployment['id']})")
        self.count(service)

    def scale(self, cluster, name, least, most):
        """What application auto scaling does to the number of tasks."""
        service = self.find(cluster, name)
        if service is None:
            return
        with self.world.lock:
            service["desiredCount"] = min(max(service["desiredCount"], least), most)
            primary = service["deployments"][0]
            primary["desiredCount"] = service["desiredCount"]
        if primary["rolloutState"] == "COMPLETED":
            self.fill(service, primary)
            with self.world.lock:
                for task in self.of(primary)[service["desiredCount"]:]:
                    tasks.stop(self.world, task, "ServiceSchedulerInitiated", "Scaling activity initiated")
                self.count(service)

    def delete(self, arn):
        with self.world.lock:
            service = self.find(arn.split("/")[-2], arn)
            if service is None:
                return
            service |= {"status": "INACTIVE", "desiredCount": 0}
            for deployment in service["deployments"]:
                self.drain(service, deployment)
            service["deployments"] = []

    def of(self, deployment):
        """The tasks of a deployment that are not over."""
        every = list(self.region.tasks.values())
        return [one for one in every
                if one.said.get("startedBy") == deployment["id"] and one.said["lastStatus"] != "STOPPED"]

    def count(self, service):
        for deployment in service["deployments"]:
            states = [one.said["lastStatus"] for one in self.of(deployment)]
            deployment["runningCount"] = states.count("RUNNING")
            deployment["pendingCount"] = len(states) - states.count("RUNNING")
        for key in ("runningCount", "pendingCount"):
            service[key] = sum(deployment[key] for deployment in service["deployments"])

    def event(self, service, message):
        """An event, newest first, a hundred at the most, as ECS keeps them."""
        said = {"id": str(uuid.uuid4()), "createdAt": now(), "message": f"(service {service['serviceName']}) {message}"}
        service["events"] = [said, *service["events"]][:100]

    def pause(self):
        time.sleep(self.world.control.pace * 3)
