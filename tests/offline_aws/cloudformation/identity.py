"""Physical ids and attributes of resources that nobody but their stack knows, in the forms that AWS gives them."""

import random
import string
import uuid

from world import ACCOUNT

HEX = "0123456789abcdef"
# EC2 and its neighbours: a prefix and 17 digits.
PREFIXES = {
    "AWS::EC2::FlowLog": "fl-",
    "AWS::EC2::InternetGateway": "igw-",
    "AWS::EC2::NatGateway": "nat-",
    "AWS::EC2::RouteTable": "rtb-",
    "AWS::EC2::SecurityGroup": "sg-",
    "AWS::EC2::SecurityGroupEgress": "sgr-",
    "AWS::EC2::SecurityGroupIngress": "sgr-",
    "AWS::EC2::Subnet": "subnet-",
    "AWS::EC2::SubnetRouteTableAssociation": "rtbassoc-",
    "AWS::EC2::VPC": "vpc-",
    "AWS::EC2::VPCEndpoint": "vpce-",
}
# Those whose Ref is an ARN: the service, and what follows the account.
ARNS = {
    "AWS::CertificateManager::Certificate": ("acm", "certificate/{uuid}"),
    "AWS::ElasticLoadBalancingV2::Listener": ("elasticloadbalancing", "listener/app/{name}/{id}/{id}"),
    "AWS::ElasticLoadBalancingV2::ListenerRule": ("elasticloadbalancing", "listener-rule/app/{name}/{id}/{id}/{id}"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("elasticloadbalancing", "loadbalancer/app/{name}/{id}"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("elasticloadbalancing", "targetgroup/{name}/{id}"),
    "AWS::SNS::Subscription": ("sns", "{name}:{uuid}"),
    "AWS::SNS::Topic": ("sns", "{name}"),
}
# The property with the name that a resource wants for itself, which nobody else may have in the region.
NAMES = {
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::ECS::Cluster": "ClusterName",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "Name",
    "AWS::IAM::Role": "RoleName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::RDS::DBCluster": "DBClusterIdentifier",
    "AWS::RDS::DBClusterParameterGroup": "DBClusterParameterGroupName",
    "AWS::RDS::DBInstance": "DBInstanceIdentifier",
    "AWS::RDS::DBSubnetGroup": "DBSubnetGroupName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::SNS::Topic": "TopicName",
}


def digits(count):
    return "".join(random.choices(HEX, k=count))


def generated(stack, logical):
    """The name that CloudFormation gives a resource that wants none."""
    return f"{stack.name}-{logical}-{''.join(random.choices(string.ascii_uppercase + string.digits, k=12))}"


def physical(region, stack, kind, logical, properties):
    """What Ref says of a new resource."""
    name = properties.get(NAMES.get(kind)) or generated(stack, logical)
    if kind in PREFIXES:
        return PREFIXES[kind] + digits(17)
    if kind in ARNS:
        service, form = ARNS[kind]
        short = name[:32].rstrip("-") if service == "elasticloadbalancing" else name
        return region.arn(service, form.format(name=short, id=digits(16), uuid=uuid.uuid4()))
    if kind == "AWS::KMS::Key":
        return str(uuid.uuid4())
    if kind == "AWS::EC2::EIP":
        return ".".join(["203", "0", "113", str(random.randint(1, 254))])
    if kind == "AWS::WAFv2::WebACL":
        return f"{name}|{uuid.uuid4()}|{properties.get('Scope', 'REGIONAL')}"
    if kind in ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance"):
        return name.lower()
    return properties.get(NAMES.get(kind)) or generated(stack, logical)


def attributes(region, kind, given, properties):
    """What Fn::GetAtt says of it, as far as anybody asks."""
    if kind == "AWS::IAM::Role":
        return {"Arn": f"arn:aws:iam::{ACCOUNT}:role/{given}", "RoleId": f"AROA{digits(16).upper()}"}
    if kind == "AWS::KMS::Key":
        return {"Arn": region.arn("kms", f"key/{given}"), "KeyId": given}
    if kind == "AWS::EC2::EIP":
        return {"AllocationId": f"eipalloc-{digits(17)}", "PublicIp": given}
    if kind == "AWS::EC2::SecurityGroup":
        return {"GroupId": given, "VpcId": properties.get("VpcId", "")}
    if kind == "AWS::ElasticLoadBalancingV2::LoadBalancer":
        full = given.split(":loadbalancer/")[1]
        dns = f"{full.split('/')[1]}-{random.randint(10**8, 10**9)}.{region.name}.elb.amazonaws.com"
        return {"LoadBalancerFullName": full, "LoadBalancerName": full.split("/")[1], "LoadBalancerArn": given,
                "DNSName": dns, "CanonicalHostedZoneID": "ZWKZPGTI48KDX"}
    if kind == "AWS::ElasticLoadBalancingV2::TargetGroup":
        return {"TargetGroupFullName": given.split(":")[-1], "TargetGroupArn": given}
    if kind == "AWS::RDS::DBCluster":
        host = f"cluster-{digits(12)}.{region.name}.rds.amazonaws.com"
        return {"Endpoint.Address": f"{given}.{host}", "Endpoint.Port": str(properties.get("Port", 5432)),
                "ReadEndpoint.Address": f"{given}.{host.replace('cluster-', 'cluster-ro-')}",
                "DBClusterArn": region.arn("rds", f"cluster:{given}"),
                "DBClusterResourceId": f"cluster-{digits(26).upper()}"}
    if kind == "AWS::WAFv2::WebACL":
        name, own, _ = given.split("|")
        return {"Arn": region.arn("wafv2", f"regional/webacl/{name}/{own}"), "Id": own}
    if kind == "AWS::SNS::Topic":
        return {"TopicArn": given, "TopicName": given.split(":")[-1]}
    return {}
