"""The operations of ECS."""

from ecs import tasks
from ecs.services import Services
from errors import Refused


class Containers:
    """Each operation under its name, in Python's spelling."""

    def __init__(self, world):
        self.world = world

    def region(self, request):
        return self.world.region(request.region)

    def cluster(self, request):
        """The name of a cluster that is there."""
        name = request.parameters.get("cluster", "default").rpartition("/")[2]
        if name not in self.region(request).clusters:
            raise Refused("ClusterNotFoundException", "Cluster not found.")
        return name

    def describe_clusters(self, request):
        wanted = [name.rpartition("/")[2] for name in request.parameters.get("clusters", ["default"])]
        clusters = self.region(request).clusters
        missing = [{"arn": self.region(request).arn("ecs", f"cluster/{name}"), "reason": "MISSING"}
                   for name in wanted if name not in clusters]
        return {"clusters": [clusters[name] for name in wanted if name in clusters], "failures": missing}

    def list_clusters(self, request):
        return {"clusterArns": [one["clusterArn"] for one in self.region(request).clusters.values()]}

    def register_task_definition(self, request):
        return {"taskDefinition": tasks.register(self.region(request), dict(request.parameters))}

    def describe_task_definition(self, request):
        definition, tags = tasks.find_definition(self.region(request), request.parameters["taskDefinition"])
        wanted = "TAGS" in request.parameters.get("include", [])
        return {"taskDefinition": definition, **({"tags": tags} if wanted else {})}

    def deregister_task_definition(self, request):
        return {"taskDefinition": tasks.deregister(self.region(request), request.parameters["taskDefinition"])}

    def list_task_definitions(self, request):
        wanted, family = request.parameters.get("status", "ACTIVE"), request.parameters.get("familyPrefix", "")
        every = [one for revisions in self.region(request).task_definitions.values() for one, _ in revisions]
        return {"taskDefinitionArns": [one["taskDefinitionArn"] for one in every
                                       if one["status"] == wanted and one["family"].startswith(family)]}

    def run_task(self, request):
        said, region, cluster = request.parameters, self.region(request), self.cluster(request)
        if (token := said.get("clientToken")) and token in region.tokens:
            return {"tasks": [region.tasks[arn].said for arn in region.tokens[token]], "failures": []}
        definition, _ = tasks.find_definition(region, said["taskDefinition"])
        if definition["status"] != "ACTIVE":
            raise Refused("ClientException", "TaskDefinition is inactive")
        if definition.get("networkMode") == "awsvpc" and not said.get("networkConfiguration"):
            raise Refused("InvalidParameterException", tasks.NO_NETWORK)
        names = [one["name"] for one in definition["containerDefinitions"]]
        for override in said.get("overrides", {}).get("containerOverrides", []):
            if override["name"] not in names:
                raise Refused("InvalidParameterException", f"Override for container named {override['name']} is not "
                              "a container in the TaskDefinition.")
        made = []
        for _ in range(said.get("count", 1)):
            task = tasks.make(region, cluster, definition, group=said.get("group", f"family:{definition['family']}"),
                              overrides=said.get("overrides"), startedBy=said.get("startedBy"), tags=said.get("tags"))
            task.decided = self.world.control.next_task()
            made.append(task)
            tasks.live(self.world, region, task)
        if token:
            region.tokens[token] = [task.said["taskArn"] for task in made]
        return {"tasks": [task.said for task in made], "failures": []}

    def describe_tasks(self, request):
        region, cluster = self.region(request), self.cluster(request)
        found, missing = [], []
        for name in request.parameters["tasks"]:
            arn = name if name.startswith("arn:") else region.arn("ecs", f"task/{cluster}/{name}")
            if arn in region.tasks:
                found.append(region.tasks[arn].said)
            else:
                missing.append({"arn": arn, "reason": "MISSING"})
        return {"tasks": found, "failures": missing}

    def list_tasks(self, request):
        said, region, cluster = request.parameters, self.region(request), self.cluster(request)
        wanted = said.get("desiredStatus", "RUNNING")
        family, service = said.get("family"), said.get("serviceName", "").rpartition("/")[2]
        found = [
            task.said["taskArn"] for task in region.tasks.values()
            if task.said["clusterArn"].endswith(f"/{cluster}")
            and task.said["desiredStatus"] == wanted
            and family in (None, task.definition["family"])
            and (not service or task.said.get("group") == f"service:{service}")
            and said.get("startedBy") in (None, task.said.get("startedBy"))
        ]
        return {"taskArns": found}

    def stop_task(self, request):
        region, cluster = self.region(request), self.cluster(request)
        name = request.parameters["task"].rpartition("/")[2]
        task = region.tasks.get(region.arn("ecs", f"task/{cluster}/{name}"))
        if task is None:
            raise Refused("InvalidParameterException", "The referenced task was not found.")
        tasks.stop(self.world, task, "UserInitiated", request.parameters.get("reason", "Task stopped by user"))
        return {"task": task.said}

    def describe_services(self, request):
        services, cluster = Services(self.world, self.region(request)), self.cluster(request)
        found, missing = [], []
        for name in request.parameters["services"]:
            service = self.region(request).services.get((cluster, name.rpartition("/")[2]))
            if service:
                services.count(service)
                found.append(service)
            else:
                arn = self.region(request).arn("ecs", f"service/{cluster}/{name.rpartition('/')[2]}")
                missing.append({"arn": arn, "reason": "MISSING"})
        return {"services": found, "failures": missing}

    def list_services(self, request):
        cluster = self.cluster(request)
        return {"serviceArns": [one["serviceArn"] for (where, _), one in self.region(request).services.items()
                                if where == cluster and one["status"] == "ACTIVE"]}
