//! The bucket through which templates go that are larger than what CloudFormation takes with the call.

use anyhow::Result;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, BucketLocationConstraint, CreateBucketConfiguration, ExpirationStatus,
    LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
};
use sha2::{Digest as _, Sha256};
use stack::proxy_stack::NAME;
use xtask::progress::step;

use crate::aws::{Aws, Identity};
use crate::failure::{is_missing, told};

/// CloudFormation keeps what it has read; the file is needed for a moment only.
const KEPT_DAYS: i32 = 30;

/// Brings a template into the bucket, and names its address. A bucket of ours is made when it is missing; one that was named
/// has to be there.
pub(crate) async fn upload(aws: &Aws, named: Option<&str>, template: &str) -> Result<String> {
    let Identity { account, partition } = aws.identity().await?;
    let own = format!("{NAME}-deployment-{account}-{}", aws.region);
    let bucket = named.unwrap_or(&own);
    if named.is_none() {
        make(aws, bucket, account).await?;
    }
    let key = format!("{}/{}.json", aws.stack, hex::encode(Sha256::digest(template)));
    let s3 = aws.s3();
    // Who owns the bucket is said each time: names of buckets are the whole world's.
    let there = s3.head_object().bucket(bucket).key(&key).expected_bucket_owner(account).send().await.is_ok();
    if !there {
        let put = s3.put_object().bucket(bucket).key(&key).expected_bucket_owner(account);
        let put = put.content_type("application/json").body(ByteStream::from(template.as_bytes().to_vec()));
        put.send().await.map_err(|error| told(error, &format!("put the template into the bucket {bucket}")))?;
    }
    let suffix = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    Ok(format!("https://{bucket}.s3.{}.{suffix}/{key}", aws.region))
}

async fn make(aws: &Aws, bucket: &str, account: &str) -> Result<()> {
    let s3 = aws.s3();
    match s3.head_bucket().bucket(bucket).expected_bucket_owner(account).send().await {
        Ok(_) => return expire(aws, bucket, account).await,
        Err(error) if is_missing(&error) => {}
        Err(error) => return Err(told(error, &format!("look at the bucket {bucket}"))),
    }
    step(format_args!("making the bucket {bucket}: the template is too large to be sent with the call"));
    let mut create = s3.create_bucket().bucket(bucket);
    // The one region that must not be named.
    if aws.region != "us-east-1" {
        let place = BucketLocationConstraint::from(aws.region.as_str());
        create =
            create.create_bucket_configuration(CreateBucketConfiguration::builder().location_constraint(place).build());
    }
    // Nothing in it is public, and all of it is encrypted: so AWS makes buckets.
    create.send().await.map_err(|error| told(error, &format!("make the bucket {bucket}")))?;
    expire(aws, bucket, account).await
}

/// Each time, because a bucket may have been made by a deployment that was interrupted.
async fn expire(aws: &Aws, bucket: &str, account: &str) -> Result<()> {
    let s3 = aws.s3();
    let rule = LifecycleRule::builder()
        .id("templates-are-read-once")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("").build())
        .expiration(LifecycleExpiration::builder().days(KEPT_DAYS).build())
        .build()?;
    let rules = BucketLifecycleConfiguration::builder().rules(rule).build()?;
    let put = s3.put_bucket_lifecycle_configuration().bucket(bucket).expected_bucket_owner(account);
    let put = put.lifecycle_configuration(rules).send().await;
    put.map_err(|error| told(error, &format!("let old templates expire in the bucket {bucket}")))?;
    Ok(())
}
