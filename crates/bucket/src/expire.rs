//! What has grown old goes: objects, old versions, marks of deletion that hide nothing, and uploads nobody completes.
//!
//! Rows are looked through a page at a time, and let go in between, so that nobody waits for it. Whatever is removed is looked
//! at again at that moment: what was written anew meanwhile stays.

use crate::backend::{Ageing, rules};
use crate::bucket::Bucket;
use crate::refusal::Refusal;
use crate::rows::{Conditions, Version, behind};
use s3s::S3ErrorCode;
use std::time::Duration;

/// How often it is looked: an age is given in days, or in hours at the least.
pub(crate) const BETWEEN: Duration = Duration::from_secs(5 * 60);

/// How many rows are looked at before others have their turn.
const PAGE: i64 = 500;

/// Removes what has grown old, by the rules that are in force, and says how much that was.
pub(crate) async fn expire(bucket: &Bucket) -> Result<u64, Refusal> {
    let mut removed = 0;
    for rule in rules(bucket).await? {
        if rule.after.is_some() || rule.from.is_some() {
            removed += objects(bucket, &rule).await?;
        }
        if rule.old_after.is_some() || rule.lone_marks {
            removed += versions(bucket, &rule).await?;
        }
        if let Some(after) = rule.uploads_after {
            removed += uploads(bucket, &rule, after).await?;
        }
    }
    Ok(removed)
}

fn is_old(since: i64, after: Option<Duration>, now: i64) -> bool {
    let after = after.map(|after| i64::try_from(after.as_millis()).unwrap_or(i64::MAX));
    after.is_some_and(|after| since.saturating_add(after) <= now)
}

/// Objects, of which a mark or nothing is left.
async fn objects(bucket: &Bucket, rule: &Ageing) -> Result<u64, Refusal> {
    let until = behind(&rule.prefix);
    let (mut from, mut including, mut removed) = (rule.prefix.clone(), true, 0);
    loop {
        let mut rows = bucket.rows.lock().await;
        let page = rows.objects(&from, including, until.as_deref(), PAGE).await?;
        drop(rows);
        let Some(last) = page.last() else {
            return Ok(removed);
        };
        (from, including) = (last.key.clone(), false);
        for version in &page {
            let now = bucket.now();
            let dated = rule
                .from
                .is_some_and(|from| from <= now && version.modified < now);
            if (dated || is_old(version.modified, rule.after, now)) && covers(bucket, rule, version).await? {
                removed += remove(bucket, version, None).await?;
            }
        }
    }
}

/// Old versions, and marks of deletion behind which nothing is left.
async fn versions(bucket: &Bucket, rule: &Ageing) -> Result<u64, Refusal> {
    let until = behind(&rule.prefix);
    let (mut from, mut before, mut removed) = (rule.prefix.clone(), None, 0);
    let (mut key, mut newer) = (String::new(), 0);
    loop {
        let mut rows = bucket.rows.lock().await;
        let page = rows.versions(&from, before, until.as_deref(), PAGE).await?;
        drop(rows);
        let Some(last) = page.last() else {
            return Ok(removed);
        };
        (from, before) = (last.key.clone(), Some(last.seq));
        for version in page {
            if version.key != key {
                (key, newer) = (version.key.clone(), 0);
            }
            if version.latest {
                if rule.lone_marks && version.marker && is_alone(bucket, &version).await? {
                    removed += remove(bucket, &version, Some(&version.id)).await?;
                }
                continue;
            }
            newer += 1;
            let since = version.replaced.unwrap_or(version.modified);
            if newer > rule.old_kept
                && is_old(since, rule.old_after, bucket.now())
                && covers(bucket, rule, &version).await?
            {
                removed += remove(bucket, &version, Some(&version.id)).await?;
            }
        }
    }
}

async fn is_alone(bucket: &Bucket, mark: &Version) -> Result<bool, Refusal> {
    let mut rows = bucket.rows.lock().await;
    let next = format!("{}\0", mark.key);
    Ok(rows
        .versions(&mark.key, Some(mark.seq), Some(&next), 1)
        .await?
        .is_empty())
}

async fn uploads(bucket: &Bucket, rule: &Ageing, after: Duration) -> Result<u64, Refusal> {
    let until = behind(&rule.prefix);
    let (mut mark, mut removed) = ((rule.prefix.clone(), String::new()), 0);
    loop {
        let mut rows = bucket.rows.lock().await;
        let page = rows.uploads((&mark.0, &mark.1), until.as_deref(), PAGE).await?;
        drop(rows);
        let Some(last) = page.last() else {
            return Ok(removed);
        };
        mark = (last.key.clone(), last.id.clone());
        for upload in page
            .iter()
            .filter(|upload| is_old(upload.started, Some(after), bucket.now()))
        {
            let aborted = bucket.rows.lock().await.abort(&upload.id, &upload.key).await;
            if let Some(free) = unless_gone(aborted)? {
                bucket.remove(free).await;
                removed += 1;
            }
        }
    }
}

async fn covers(bucket: &Bucket, rule: &Ageing, version: &Version) -> Result<bool, Refusal> {
    if !rule.asks_nature() {
        return Ok(rule.covers(version, &crate::rows::Nature::default()));
    }
    let found = bucket
        .rows
        .lock()
        .await
        .find(&version.key, Some(&version.id))
        .await?;
    Ok(found.is_some_and(|(version, body)| rule.covers(&version, &body.nature)))
}

/// Removes a version, or deletes the object, if it is still the one that was looked at.
async fn remove(bucket: &Bucket, version: &Version, id: Option<&str>) -> Result<u64, Refusal> {
    let conditions = Conditions {
        seq: Some(version.seq),
        ..Conditions::default()
    };
    let mut rows = bucket.rows.lock().await;
    let deleted = rows
        .delete(&version.key, id, &conditions, bucket.versioning(), bucket.now())
        .await;
    drop(rows);
    match unless_gone(deleted)? {
        Some(deleted) => {
            bucket.remove(deleted.free).await;
            Ok(1)
        }
        None => Ok(0),
    }
}

/// What was removed by somebody else in the meantime is no fault.
fn unless_gone<T>(done: Result<T, Refusal>) -> Result<Option<T>, Refusal> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(Refusal::Said(said))
            if matches!(
                said.code(),
                S3ErrorCode::PreconditionFailed | S3ErrorCode::NoSuchUpload
            ) =>
        {
            Ok(None)
        }
        Err(refusal) => Err(refusal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_reached_at_its_very_moment() {
        let day = Some(Duration::from_secs(86_400));
        assert!(!is_old(0, day, 86_399_999));
        assert!(is_old(0, day, 86_400_000));
        assert!(!is_old(0, None, i64::MAX));
        assert!(!is_old(i64::MAX, day, 0));
    }
}
