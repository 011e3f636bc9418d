//! Application Auto Scaling.

use super::macros::{resource, structure, words};
use super::{Id, Name};
use crate::core::Value;

words! {
    ServiceNamespace { Ecs = "ecs", }
}

words! {
    ScalableDimension { EcsServiceDesiredCount = "ecs:service:DesiredCount", }
}

words! {
    PolicyType { TargetTrackingScaling = "TargetTrackingScaling", StepScaling = "StepScaling", }
}

words! {
    PredefinedMetricType {
        EcsServiceAverageCpuUtilization = "ECSServiceAverageCPUUtilization",
        EcsServiceAverageMemoryUtilization = "ECSServiceAverageMemoryUtilization",
        AlbRequestCountPerTarget = "ALBRequestCountPerTarget",
    }
}

structure! {
    PredefinedMetricSpecification { predefined_metric_type: PredefinedMetricType, ; resource_label: Value<String>, }
}

structure! {
    TargetTrackingScalingPolicyConfiguration {
        target_value: Value<f64>,
        ;
        predefined_metric_specification: PredefinedMetricSpecification,
        scale_in_cooldown: Value<i64>,
        scale_out_cooldown: Value<i64>,
    }
}

resource! {
    ScalableTarget = "AWS::ApplicationAutoScaling::ScalableTarget" {
        service_namespace: ServiceNamespace,
        scalable_dimension: ScalableDimension,
        resource_id: Value<String>,
        min_capacity: Value<i64>,
        max_capacity: Value<i64>,
        ;
    }
    => id: Id<ScalableTarget>;
}

resource! {
    ScalingPolicy = "AWS::ApplicationAutoScaling::ScalingPolicy" {
        policy_name: Value<Name<ScalingPolicy>>,
        policy_type: PolicyType,
        ;
        scaling_target_id: Value<Id<ScalableTarget>>,
        target_tracking_scaling_policy_configuration: TargetTrackingScalingPolicyConfiguration,
    }
}
