//! What can be asked about the bucket itself, and what a client may set on it.

use crate::Rule;
use crate::bucket::Bucket;
use crate::refusal::Refusal;
use crate::rows::{Nature, Version, Versioning};
use s3s::dto::*;
use s3s::{S3ErrorCode, S3Request};
use std::time::Duration;

/// The most rules that S3 takes.
const MOST_RULES: usize = 1000;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How something ages: which objects it is about, and what happens to them when.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ageing {
    pub(crate) prefix: String,
    tags: Vec<(String, String)>,
    larger: Option<u64>,
    smaller: Option<u64>,
    /// Objects go when they are so old.
    pub(crate) after: Option<Duration>,
    /// Objects go from this moment on, in milliseconds.
    pub(crate) from: Option<i64>,
    /// Old versions go when they have been old so long.
    pub(crate) old_after: Option<Duration>,
    /// So many of the newest old versions stay all the same.
    pub(crate) old_kept: usize,
    /// Marks of deletion go when nothing is left that they hide.
    pub(crate) lone_marks: bool,
    /// Uploads are given up when they have not become an object for so long.
    pub(crate) uploads_after: Option<Duration>,
}

impl Ageing {
    /// What a rule of the manifest means. What was never completed goes with what is complete.
    pub(crate) fn declared(rule: &Rule) -> Ageing {
        Ageing {
            prefix: rule.prefix.clone(),
            after: (!rule.old_versions).then_some(rule.after),
            old_after: rule.old_versions.then_some(rule.after),
            lone_marks: rule.old_versions,
            uploads_after: (!rule.old_versions).then_some(rule.after),
            ..Ageing::default()
        }
    }

    /// What a rule of a client means, where it is in force.
    fn of(rule: &LifecycleRule) -> Option<Ageing> {
        if rule.status.as_str() != ExpirationStatus::ENABLED {
            return None;
        }
        let days = |days: Option<i32>| {
            days.and_then(|days| u32::try_from(days).ok())
                .map(|days| DAY * days)
        };
        let mut ageing = Ageing {
            prefix: rule.prefix.clone().unwrap_or_default(),
            ..Ageing::default()
        };
        let size = |size: Option<i64>| size.and_then(|size| u64::try_from(size).ok());
        if let Some(filter) = &rule.filter {
            let and = filter.and.as_ref();
            let prefix = filter.prefix.clone().or(and.and_then(|and| and.prefix.clone()));
            ageing.prefix = prefix.unwrap_or(ageing.prefix);
            ageing.larger = size(
                filter
                    .object_size_greater_than
                    .or(and.and_then(|and| and.object_size_greater_than)),
            );
            ageing.smaller = size(
                filter
                    .object_size_less_than
                    .or(and.and_then(|and| and.object_size_less_than)),
            );
            let tags = filter
                .tag
                .iter()
                .chain(and.and_then(|and| and.tags.as_ref()).into_iter().flatten());
            let pair = |tag: &Tag| {
                (
                    tag.key.clone().unwrap_or_default(),
                    tag.value.clone().unwrap_or_default(),
                )
            };
            ageing.tags = tags.map(pair).collect();
        }
        if let Some(expiration) = &rule.expiration {
            ageing.after = days(expiration.days);
            ageing.from = expiration.date.clone().map(milliseconds);
            ageing.lone_marks = expiration.expired_object_delete_marker == Some(true);
        }
        if let Some(old) = &rule.noncurrent_version_expiration {
            ageing.old_after = days(old.noncurrent_days);
            ageing.old_kept = old
                .newer_noncurrent_versions
                .and_then(|kept| usize::try_from(kept).ok())
                .unwrap_or(0);
        }
        let abort = rule.abort_incomplete_multipart_upload.as_ref();
        ageing.uploads_after = days(abort.and_then(|abort| abort.days_after_initiation));
        Some(ageing)
    }

    /// Whether this rule is about such an object.
    pub(crate) fn covers(&self, version: &Version, nature: &Nature) -> bool {
        self.larger.is_none_or(|size| version.size > size)
            && self.smaller.is_none_or(|size| version.size < size)
            && self.tags.iter().all(|tag| nature.tags.contains(tag))
    }

    /// Whether the rule asks what an object is, besides its key and its age.
    pub(crate) fn asks_nature(&self) -> bool {
        !self.tags.is_empty()
    }
}

fn milliseconds(moment: Timestamp) -> i64 {
    let mut text = Vec::new();
    let written = moment.format(TimestampFormat::EpochSeconds, &mut text);
    let seconds: Option<f64> = written
        .ok()
        .and_then(|()| String::from_utf8(text).ok()?.parse().ok());
    seconds.map_or(i64::MAX, |seconds| (seconds * 1000.0) as i64)
}

/// The rules that are in force: those of the manifest, and those that a client has set.
pub(crate) async fn rules(bucket: &Bucket) -> Result<Vec<Ageing>, Refusal> {
    let set: Option<Vec<LifecycleRule>> = bucket.rows.lock().await.setting("lifecycle").await?;
    let set = set.unwrap_or_default();
    Ok(bucket
        .declared
        .iter()
        .cloned()
        .chain(set.iter().filter_map(Ageing::of))
        .collect())
}

fn bucket_itself(bucket: &Bucket) -> s3s::dto::Bucket {
    s3s::dto::Bucket {
        bucket_region: Some(bucket.region.clone()),
        creation_date: Some(Timestamp::default()),
        name: Some(bucket.name.clone()),
    }
}

pub(super) fn list_buckets(bucket: &Bucket) -> ListBucketsOutput {
    ListBucketsOutput {
        buckets: Some(vec![bucket_itself(bucket)]),
        owner: Some(Owner {
            display_name: Some("owner".to_owned()),
            id: Some("owner".to_owned()),
        }),
        ..ListBucketsOutput::default()
    }
}

/// Making the bucket that is there is no fault: many programs begin so.
pub(super) fn create_bucket(
    bucket: &Bucket,
    input: &CreateBucketInput,
) -> Result<CreateBucketOutput, Refusal> {
    if input.bucket != bucket.name {
        let words = format!(
            "buckets are declared in towpath.toml, and `{}` is not this one: this is `{}`",
            input.bucket, bucket.name
        );
        return Err(Refusal::said(S3ErrorCode::AccessDenied, words));
    }
    Ok(CreateBucketOutput {
        location: Some(format!("/{}", bucket.name)),
    })
}

pub(super) async fn head_bucket(
    bucket: &Bucket,
    _: S3Request<HeadBucketInput>,
) -> Result<HeadBucketOutput, Refusal> {
    Ok(HeadBucketOutput {
        bucket_region: Some(bucket.region.clone()),
        ..HeadBucketOutput::default()
    })
}

pub(super) async fn delete_bucket(
    bucket: &Bucket,
    _: S3Request<DeleteBucketInput>,
) -> Result<DeleteBucketOutput, Refusal> {
    let words = format!(
        "`{}` is declared in towpath.toml, and goes when it is taken out there",
        bucket.name
    );
    Err(Refusal::said(S3ErrorCode::AccessDenied, words))
}

pub(super) async fn get_bucket_location(
    bucket: &Bucket,
    _: S3Request<GetBucketLocationInput>,
) -> Result<GetBucketLocationOutput, Refusal> {
    // The first region of S3 has no name there.
    let named = Some(bucket.region.clone()).filter(|region| region != "us-east-1");
    Ok(GetBucketLocationOutput {
        location_constraint: named.map(BucketLocationConstraint::from),
    })
}

pub(super) async fn get_bucket_versioning(
    bucket: &Bucket,
    _: S3Request<GetBucketVersioningInput>,
) -> Result<GetBucketVersioningOutput, Refusal> {
    let status = match bucket.versioning() {
        Versioning::Off => None,
        Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
    };
    Ok(GetBucketVersioningOutput {
        status: status.map(BucketVersioningStatus::from_static),
        ..GetBucketVersioningOutput::default()
    })
}

pub(super) async fn put_bucket_versioning(
    bucket: &Bucket,
    request: S3Request<PutBucketVersioningInput>,
) -> Result<PutBucketVersioningOutput, Refusal> {
    let status = request.input.versioning_configuration.status;
    let versioning = match status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        _ => {
            return Err(Refusal::said(
                S3ErrorCode::MalformedXML,
                "versioning is Enabled or Suspended",
            ));
        }
    };
    let mut rows = bucket.rows.lock().await;
    rows.set("versioning", Some(&versioning)).await?;
    bucket.set_versioning(versioning);
    Ok(PutBucketVersioningOutput::default())
}

pub(super) async fn get_bucket_encryption(
    bucket: &Bucket,
    _: S3Request<GetBucketEncryptionInput>,
) -> Result<GetBucketEncryptionOutput, Refusal> {
    if !bucket.encrypted {
        let words = "what is written here is not encrypted";
        return Err(Refusal::said(
            S3ErrorCode::ServerSideEncryptionConfigurationNotFoundError,
            words,
        ));
    }
    let rule = ServerSideEncryptionRule {
        apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
            kms_master_key_id: None,
            sse_algorithm: ServerSideEncryption::from_static(ServerSideEncryption::AES256),
        }),
        ..ServerSideEncryptionRule::default()
    };
    Ok(GetBucketEncryptionOutput {
        server_side_encryption_configuration: Some(ServerSideEncryptionConfiguration { rules: vec![rule] }),
    })
}

pub(super) async fn get_bucket_lifecycle_configuration(
    bucket: &Bucket,
    _: S3Request<GetBucketLifecycleConfigurationInput>,
) -> Result<GetBucketLifecycleConfigurationOutput, Refusal> {
    let set: Option<Vec<LifecycleRule>> = bucket.rows.lock().await.setting("lifecycle").await?;
    let Some(rules) = set else {
        let words = "no client has set rules here; those of towpath.toml hold in any case";
        return Err(Refusal::said(S3ErrorCode::NoSuchLifecycleConfiguration, words));
    };
    Ok(GetBucketLifecycleConfigurationOutput {
        rules: Some(rules),
        ..GetBucketLifecycleConfigurationOutput::default()
    })
}

pub(super) async fn put_bucket_lifecycle_configuration(
    bucket: &Bucket,
    request: S3Request<PutBucketLifecycleConfigurationInput>,
) -> Result<PutBucketLifecycleConfigurationOutput, Refusal> {
    let configuration = request.input.lifecycle_configuration;
    let mut rules = configuration
        .map(|configuration| configuration.rules)
        .unwrap_or_default();
    if rules.is_empty() || rules.len() > MOST_RULES {
        let words = format!("a configuration has 1 to {MOST_RULES} rules");
        return Err(Refusal::said(S3ErrorCode::MalformedXML, words));
    }
    for (number, rule) in (1..).zip(&mut rules) {
        check(rule)?;
        rule.id.get_or_insert_with(|| format!("rule-{number}"));
    }
    bucket.rows.lock().await.set("lifecycle", Some(&rules)).await?;
    // What is old by it already does not wait for the next look.
    bucket.clock.forward(Duration::ZERO);
    Ok(PutBucketLifecycleConfigurationOutput::default())
}

fn check(rule: &LifecycleRule) -> Result<(), Refusal> {
    let refused = |words: &str| Err(Refusal::said(S3ErrorCode::InvalidArgument, words));
    if !rule.transitions.as_ref().is_none_or(Vec::is_empty)
        || !rule
            .noncurrent_version_transitions
            .as_ref()
            .is_none_or(Vec::is_empty)
    {
        let words = "there is one class of storage here: objects can expire, and cannot move";
        return Err(Refusal::said(S3ErrorCode::NotImplemented, words));
    }
    let expiration = rule.expiration.as_ref();
    let old = rule.noncurrent_version_expiration.as_ref();
    let abort = rule.abort_incomplete_multipart_upload.as_ref();
    if expiration.is_none() && old.is_none() && abort.is_none() {
        return refused("a rule says what happens: an expiration, or the end of uploads");
    }
    let days = [
        expiration.and_then(|expiration| expiration.days),
        old.and_then(|old| old.noncurrent_days),
        abort.and_then(|abort| abort.days_after_initiation),
    ];
    if days.into_iter().flatten().any(|days| days < 1) {
        return refused("a number of days is 1 or more");
    }
    if expiration.is_some_and(|expiration| expiration.days.is_some() && expiration.date.is_some()) {
        return refused("an expiration has days or a date, and not both");
    }
    Ok(())
}

pub(super) async fn delete_bucket_lifecycle(
    bucket: &Bucket,
    _: S3Request<DeleteBucketLifecycleInput>,
) -> Result<DeleteBucketLifecycleOutput, Refusal> {
    bucket
        .rows
        .lock()
        .await
        .set::<Vec<LifecycleRule>>("lifecycle", None)
        .await?;
    Ok(DeleteBucketLifecycleOutput::default())
}
