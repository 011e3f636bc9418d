"""The types whose resources are more than a name: they are in moto or among the containers, or refuse to be deleted."""

import json

from cloudformation import identity
from cloudformation.kind import Failed, Kind, told
from ecs import tasks
from ecs.services import Services


class Secret(Kind):
    """Without a string or a rule to generate one it has no value."""

    def create(self, place, logical, kind, properties):
        value = properties.get("SecretString")
        if (rule := properties.get("GenerateSecretString")) is not None:
            value = self.generate(place, rule)
        name = properties.get("Name") or identity.generated(place.stack, logical)
        tags = properties.get("Tags")
        made = place.call("secretsmanager", "CreateSecret", Name=name, SecretString=value, Tags=tags,
                          Description=properties.get("Description"), KmsKeyId=properties.get("KmsKeyId"))
        return made["ARN"], {"Id": made["ARN"]}

    def generate(self, place, rule):
        number = int(rule.get("PasswordLength", 32))
        without = str(rule.get("ExcludePunctuation", False)).lower() == "true"
        password = place.call("secretsmanager", "GetRandomPassword", PasswordLength=number, ExcludePunctuation=without,
                              ExcludeCharacters=rule.get("ExcludeCharacters"))["RandomPassword"]
        if "GenerateStringKey" not in rule:
            return password
        return json.dumps({**json.loads(rule["SecretStringTemplate"]), rule["GenerateStringKey"]: password})

    def delete(self, place, resource):
        place.call("secretsmanager", "DeleteSecret", SecretId=resource.physical, ForceDeleteWithoutRecovery=True)


class SecretTargetAttachment(Kind):
    """Writes where the database is into its secret."""

    def create(self, place, logical, kind, properties):
        secret = properties["SecretId"]
        said = json.loads(place.call("secretsmanager", "GetSecretValue", SecretId=secret)["SecretString"])
        cluster = next(one for one in place.stack.resources.values()
                       if (one.kind, one.physical) == (properties["TargetType"], properties["TargetId"]))
        said |= {"engine": "postgres", "host": cluster.attributes["Endpoint.Address"],
                 "port": int(cluster.attributes["Endpoint.Port"]), "dbClusterIdentifier": cluster.physical}
        if name := cluster.properties.get("DatabaseName"):
            said["dbname"] = name
        place.call("secretsmanager", "PutSecretValue", SecretId=secret, SecretString=json.dumps(said))
        return secret, {}


class LogGroup(Kind):
    def create(self, place, logical, kind, properties):
        name = properties.get("LogGroupName") or identity.generated(place.stack, logical)
        place.call("logs", "CreateLogGroup", logGroupName=name, kmsKeyId=properties.get("KmsKeyId"))
        self.retain(place, name, properties)
        return name, {"Arn": place.region.arn("logs", f"log-group:{name}:*")}

    def update(self, place, resource, properties):
        self.retain(place, resource.physical, properties)

    def retain(self, place, name, properties):
        if days := properties.get("RetentionInDays"):
            place.call("logs", "PutRetentionPolicy", logGroupName=name, retentionInDays=int(days))

    def delete(self, place, resource):
        place.call("logs", "DeleteLogGroup", logGroupName=resource.physical)


class Repository(Kind):
    def create(self, place, logical, kind, properties):
        name = properties.get("RepositoryName") or identity.generated(place.stack, logical).lower()
        made = place.call("ecr", "CreateRepository", repositoryName=name,
                          imageTagMutability=properties.get("ImageTagMutability"))["repository"]
        return name, {"Arn": made["repositoryArn"], "RepositoryUri": made["repositoryUri"]}

    def delete(self, place, resource):
        force = str(resource.properties.get("EmptyOnDelete", False)).lower() == "true"
        place.call("ecr", "DeleteRepository", repositoryName=resource.physical, force=force)


class Alarm(Kind):
    def create(self, place, logical, kind, properties):
        super().create(place, logical, kind, properties)
        name = properties.get("AlarmName") or identity.generated(place.stack, logical)
        self.put(place, name, properties)
        # A new alarm knows nothing until its metric says something.
        place.call("monitoring", "SetAlarmState", AlarmName=name, StateValue="INSUFFICIENT_DATA",
                   StateReason="Unchecked: Initial alarm creation")
        return name, {"Arn": place.region.arn("cloudwatch", f"alarm:{name}")}

    def update(self, place, resource, properties):
        self.put(place, resource.physical, properties)

    def put(self, place, name, properties):
        place.call("monitoring", "PutMetricAlarm", **{**properties, "AlarmName": name})

    def delete(self, place, resource):
        super().delete(place, resource)
        place.call("monitoring", "DeleteAlarms", AlarmNames=[resource.physical])


class DatabaseCluster(Kind):
    def delete(self, place, resource):
        if str(resource.properties.get("DeletionProtection", False)).lower() == "true":
            raise Failed(told("Cannot delete protected Cluster, please disable deletion protection and try again.",
                              "InvalidRequest"))
        super().delete(place, resource)


class Balancer(Kind):
    def delete(self, place, resource):
        said = {one["Key"]: one["Value"] for one in resource.properties.get("LoadBalancerAttributes", [])}
        if said.get("deletion_protection.enabled") == "true":
            raise Failed(told(f"Load balancer '{resource.physical}' cannot be deleted because deletion protection "
                              "is enabled", "InvalidRequest"))
        super().delete(place, resource)


class Cluster(Kind):
    def create(self, place, logical, kind, properties):
        name = properties.get("ClusterName") or identity.generated(place.stack, logical)
        super().create(place, logical, kind, properties)
        with place.world.lock:
            place.region.clusters[name] = {"clusterName": name, "status": "ACTIVE",
                                           "clusterArn": place.region.arn("ecs", f"cluster/{name}")}
        return name, {"Arn": place.region.arn("ecs", f"cluster/{name}")}

    def delete(self, place, resource):
        super().delete(place, resource)
        place.region.clusters.pop(resource.physical, None)


class TaskDefinition(Kind):
    def create(self, place, logical, kind, properties):
        said = camel({"Family": identity.generated(place.stack, logical), **properties})
        with place.world.lock:
            arn = tasks.register(place.region, said)["taskDefinitionArn"]
        return arn, {"TaskDefinitionArn": arn}

    def delete(self, place, resource):
        with place.world.lock:
            tasks.deregister(place.region, resource.physical)


class Service(Kind):
    """Waits, like AWS's own, until the tasks run or the circuit breaker gives up."""

    def create(self, place, logical, kind, properties):
        said = camel(properties)
        said.setdefault("serviceName", identity.generated(place.stack, logical))
        services = Services(place.world, place.region)
        service = services.create(said)
        self.wait(services, service)
        return service["serviceArn"], {"Name": service["serviceName"], "ServiceArn": service["serviceArn"]}

    def update(self, place, resource, properties):
        services = Services(place.world, place.region)
        self.wait(services, services.change(resource.physical, camel(properties)))

    def wait(self, services, service):
        if not services.roll_out(service):
            raise Failed(told("Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.",
                              "GeneralServiceException"))

    def delete(self, place, resource):
        Services(place.world, place.region).delete(resource.physical)


class ScalableTarget(Kind):
    """Keeps a service at its fewest tasks."""

    def create(self, place, logical, kind, properties):
        self.scale(place, properties)
        return "|".join(properties[key] for key in ("ResourceId", "ScalableDimension", "ServiceNamespace")), {}

    def update(self, place, resource, properties):
        self.scale(place, properties)

    def scale(self, place, properties):
        _, cluster, name = properties["ResourceId"].split("/")
        Services(place.world, place.region).scale(cluster, name, int(properties["MinCapacity"]),
                                                  int(properties["MaxCapacity"]))


KINDS = {
    "AWS::ApplicationAutoScaling::ScalableTarget": ScalableTarget(),
    "AWS::CloudWatch::Alarm": Alarm(),
    "AWS::ECR::Repository": Repository(),
    "AWS::ECS::Cluster": Cluster(),
    "AWS::ECS::Service": Service(),
    "AWS::ECS::TaskDefinition": TaskDefinition(),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Balancer(),
    "AWS::Logs::LogGroup": LogGroup(),
    "AWS::RDS::DBCluster": DatabaseCluster(),
    "AWS::SecretsManager::Secret": Secret(),
    "AWS::SecretsManager::SecretTargetAttachment": SecretTargetAttachment(),
}
PLAIN = Kind()


def kind_of(name):
    return KINDS.get(name, PLAIN)


def camel(value, free=("Options", "DockerLabels")):
    """CloudFormation's PascalCase as the camelCase of the API of ECS; keys that somebody chose stay."""
    if isinstance(value, list):
        return [camel(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    return {key[0].lower() + key[1:]: inner if key in free else camel(inner) for key, inner in value.items()}
