"""Versions, and what goes as it ages."""

import datetime
import time

from run import case, refused

DAY = 24 * 60 * 60


def enable(b, status="Enabled"):
    b.s3.put_bucket_versioning(Bucket=b.bucket, VersioningConfiguration={"Status": status})


def versions(b, **more):
    pages = b.s3.get_paginator("list_object_versions").paginate(Bucket=b.bucket, **more)
    found, marks = [], []
    for page in pages:
        found += [(one["Key"], one["VersionId"], one["IsLatest"]) for one in page.get("Versions", [])]
        marks += [(one["Key"], one["VersionId"], one["IsLatest"]) for one in page.get("DeleteMarkers", [])]
    return found, marks


def clear(b):
    found, marks = versions(b)
    for key, version, _ in found + marks:
        b.s3.delete_object(Bucket=b.bucket, Key=key, VersionId=version)
    assert versions(b) == ([], [])


def rule(b, **what):
    rules = [{"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""}, **what}]
    b.s3.put_bucket_lifecycle_configuration(Bucket=b.bucket, LifecycleConfiguration={"Rules": rules})


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in 20 s"
        time.sleep(0.02)


@case("aging")
def versioning_is_off_at_first(b):
    assert "Status" not in b.s3.get_bucket_versioning(Bucket=b.bucket)
    assert "VersionId" not in b.put("plain")
    assert versions(b)[0] == [("plain", "null", True)]


@case("aging")
def what_was_there_before_versioning_stays_as_null(b):
    b.put("early", b"before")
    enable(b)
    later = b.put("early", b"after")["VersionId"]
    assert versions(b, Prefix="early")[0] == [("early", later, True), ("early", "null", False)]
    assert b.read("early", VersionId="null") == b"before"
    clear(b)


@case("versioned")
def versioning_of_the_manifest_is_on(b):
    assert b.s3.get_bucket_versioning(Bucket=b.bucket)["Status"] == "Enabled"


@case("versioned")
def every_write_is_a_version(b):
    names = [b.put("v", b"%d" % number)["VersionId"] for number in range(3)]
    assert len(set(names)) == 3
    for number, name in enumerate(names):
        answer = b.get("v", VersionId=name)
        assert answer["Body"].read() == b"%d" % number and answer["VersionId"] == name
    assert b.read("v") == b"2"
    assert versions(b, Prefix="v")[0] == [("v", name, name == names[2]) for name in names[::-1]]
    clear(b)


@case("versioned")
def a_deleted_object_is_hidden_by_a_mark(b):
    first = b.put("hidden", b"x")["VersionId"]
    answer = b.s3.delete_object(Bucket=b.bucket, Key="hidden")
    assert answer["DeleteMarker"] and answer["VersionId"]
    said = refused("NoSuchKey", b.get, "hidden")
    assert said["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    assert b.keys(Prefix="hidden") == [] and b.read("hidden", VersionId=first) == b"x"
    clear(b)


@case("versioned")
def a_mark_that_is_deleted_shows_the_object_again(b):
    b.put("hidden", b"x")
    mark = b.s3.delete_object(Bucket=b.bucket, Key="hidden")["VersionId"]
    refused("MethodNotAllowed", b.get, "hidden", VersionId=mark)
    assert b.s3.delete_object(Bucket=b.bucket, Key="hidden", VersionId=mark)["DeleteMarker"]
    assert b.read("hidden") == b"x"
    clear(b)


@case("versioned")
def the_version_before_is_the_latest_when_the_latest_is_deleted(b):
    b.put("back", b"one")
    second = b.put("back", b"two")["VersionId"]
    b.s3.delete_object(Bucket=b.bucket, Key="back", VersionId=second)
    assert b.read("back") == b"one" and versions(b, Prefix="back")[0][0][2]
    clear(b)


@case("versioned")
def many_versions_are_deleted_at_once(b):
    names = [b.put("many", b"x")["VersionId"] for _ in range(3)]
    answer = b.s3.delete_objects(
        Bucket=b.bucket, Delete={"Objects": [{"Key": "many", "VersionId": name} for name in names]}
    )
    assert sorted(one["VersionId"] for one in answer["Deleted"]) == sorted(names)
    answer = b.s3.delete_objects(Bucket=b.bucket, Delete={"Objects": [{"Key": "many"}]})
    assert answer["Deleted"][0]["DeleteMarker"] and answer["Deleted"][0]["DeleteMarkerVersionId"]
    clear(b)


@case("versioned")
def versions_have_pages(b):
    for key in ("a", "b", "c"):
        for number in range(3):
            b.put(key, b"%d" % number)
    b.s3.delete_object(Bucket=b.bucket, Key="b")
    whole = versions(b)
    assert len(whole[0]) == 9 and len(whole[1]) == 1
    for size in range(1, 11):
        assert versions(b, PaginationConfig={"PageSize": size}) == whole, size
    clear(b)


@case("versioned")
def versions_have_common_prefixes(b):
    for key in ("a/1", "a/2", "b"):
        b.put(key)
        b.put(key)
    answer = b.s3.list_object_versions(Bucket=b.bucket, Delimiter="/")
    assert [one["Prefix"] for one in answer["CommonPrefixes"]] == ["a/"] and len(answer["Versions"]) == 2
    clear(b)


@case("versioned")
def an_old_version_is_copied(b):
    first = b.put("old", b"one")["VersionId"]
    b.put("old", b"two")
    source = {"Bucket": b.bucket, "Key": "old", "VersionId": first}
    answer = b.s3.copy_object(Bucket=b.bucket, Key="old", CopySource=source)
    assert answer["CopySourceVersionId"] == first and b.read("old") == b"one"
    clear(b)


@case("versioned")
def a_version_that_is_not_there(b):
    b.put("there")
    refused("NoSuchVersion", b.get, "there", VersionId="0" * 32)
    refused("404", b.head, "there", VersionId="0" * 32)
    clear(b)


@case("versioned")
def a_version_has_its_own_tags(b):
    first = b.put("tagged", Tagging="a=1")["VersionId"]
    b.put("tagged", Tagging="b=2")
    tags = b.s3.get_object_tagging(Bucket=b.bucket, Key="tagged", VersionId=first)
    assert tags["TagSet"] == [{"Key": "a", "Value": "1"}] and tags["VersionId"] == first
    clear(b)


@case("versioned")
def an_object_of_parts_is_a_version(b):
    given = {"Bucket": b.bucket, "Key": "parts"}
    upload = b.s3.create_multipart_upload(**given)["UploadId"]
    tag = b.s3.upload_part(UploadId=upload, PartNumber=1, Body=b"x", **given)["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
    name = b.s3.complete_multipart_upload(UploadId=upload, MultipartUpload=parts, **given)["VersionId"]
    assert versions(b, Prefix="parts")[0] == [("parts", name, True)]
    clear(b)


@case("versioned")
def conditions_look_at_the_latest_version(b):
    b.put("cond", b"one")
    refused("PreconditionFailed", b.put, "cond", b"two", IfNoneMatch="*")
    b.s3.delete_object(Bucket=b.bucket, Key="cond")
    b.put("cond", b"two", IfNoneMatch="*")
    clear(b)


@case("versioned")
def suspended_versioning_writes_null_and_keeps_the_rest(b):
    first = b.put("susp", b"one")["VersionId"]
    enable(b, "Suspended")
    assert b.s3.get_bucket_versioning(Bucket=b.bucket)["Status"] == "Suspended"
    b.put("susp", b"two")
    b.put("susp", b"three")
    assert versions(b, Prefix="susp")[0] == [("susp", "null", True), ("susp", first, False)]
    assert b.s3.delete_object(Bucket=b.bucket, Key="susp")["VersionId"] == "null"
    assert versions(b, Prefix="susp") == ([("susp", first, False)], [("susp", "null", True)])
    enable(b)
    clear(b)


@case("aging")
def a_lifecycle_is_kept_told_and_deleted(b):
    refused("NoSuchLifecycleConfiguration", b.s3.get_bucket_lifecycle_configuration, Bucket=b.bucket)
    rule(b, Expiration={"Days": 30}, Filter={"Prefix": "logs/"})
    rules = b.s3.get_bucket_lifecycle_configuration(Bucket=b.bucket)["Rules"]
    assert rules == [{"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30}}]
    b.s3.delete_bucket_lifecycle(Bucket=b.bucket)
    refused("NoSuchLifecycleConfiguration", b.s3.get_bucket_lifecycle_configuration, Bucket=b.bucket)


@case("aging")
def a_lifecycle_that_means_nothing_is_refused(b):
    refused("InvalidArgument", rule, b, Expiration={"Days": 0})
    refused("InvalidArgument", rule, b)
    refused("NotImplemented", rule, b, Transitions=[{"Days": 30, "StorageClass": "GLACIER"}])


@case("aging")
def objects_expire(b):
    enable(b, "Suspended")
    b.put("logs/old", b"x")
    b.put("kept/old", b"x")
    rule(b, Expiration={"Days": 30}, Filter={"Prefix": "logs/"})
    b.forward(29 * DAY)
    b.put("logs/young", b"x")
    b.forward(2 * DAY)
    until(lambda: b.keys() == ["kept/old", "logs/young"])
    b.s3.delete_bucket_lifecycle(Bucket=b.bucket)
    clear(b)


@case("aging")
def objects_expire_by_tag_and_size(b):
    b.put("young", b"x", Tagging="temporary=yes")
    b.put("small", b"x")
    b.put("large", b"x" * 2000)
    rules = [
        {"Status": "Enabled", "Filter": {"Tag": {"Key": "temporary", "Value": "yes"}}, "Expiration": {"Days": 1}},
        {"Status": "Enabled", "Filter": {"ObjectSizeGreaterThan": 1000}, "Expiration": {"Days": 1}},
    ]
    b.s3.put_bucket_lifecycle_configuration(Bucket=b.bucket, LifecycleConfiguration={"Rules": rules})
    b.forward(DAY)
    until(lambda: b.keys() == ["small"])
    b.s3.delete_bucket_lifecycle(Bucket=b.bucket)
    clear(b)


@case("aging")
def a_rule_that_is_off_does_nothing(b):
    b.put("a")
    b.put("b/marker")
    rules = [
        {"Status": "Disabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}},
        {"Status": "Enabled", "Filter": {"Prefix": "b/"}, "Expiration": {"Days": 1}},
    ]
    b.s3.put_bucket_lifecycle_configuration(Bucket=b.bucket, LifecycleConfiguration={"Rules": rules})
    b.forward(2 * DAY)
    until(lambda: b.keys() == ["a"])
    b.s3.delete_bucket_lifecycle(Bucket=b.bucket)
    clear(b)


@case("aging")
def objects_expire_from_a_date_on(b):
    b.put("dated")
    rule(b, Expiration={"Date": datetime.datetime(2020, 1, 1)})
    until(lambda: b.keys() == [])
    b.s3.delete_bucket_lifecycle(Bucket=b.bucket)
    clear(b)


@case("aging")
def an_expired_object_of_a_versioned_bucket_is_hidden(b):
    enable(b)
    first = b.put("v", b"x")["VersionId"]
    rule(b, Expiration={"Days": 1})
    b.forward(2 * DAY)
    until(lambda: b.keys() == [])
    assert b.read("v", VersionId=first) == b"x"
    b.s3.delete_bucket_lifecycle(Bucket=b.bucket)
    clear(b)


@case("aging")
def old_versions_expire_and_some_may_stay(b):
    enable(b)
    names = [b.put("v", b"%d" % number)["VersionId"] for number in range(4)]
    rule(b, NoncurrentVersionExpiration={"NoncurrentDays": 3, "NewerNoncurrentVersions": 1})
    b.forward(4 * DAY)
    until(lambda: [name for _, name, _ in versions(b)[0]] == [names[3], names[2]])
    rule(b, NoncurrentVersionExpiration={"NoncurrentDays": 3})
    until(lambda: [name for _, name, _ in versions(b)[0]] == [names[3]])
    b.s3.delete_bucket_lifecycle(Bucket=b.bucket)
    clear(b)


@case("aging")
def marks_that_hide_nothing_go(b):
    enable(b)
    first = b.put("v", b"x")["VersionId"]
    b.put("w", b"x")
    for key in ("v", "w"):
        b.s3.delete_object(Bucket=b.bucket, Key=key)
    b.s3.delete_object(Bucket=b.bucket, Key="v", VersionId=first)
    rule(b, Expiration={"ExpiredObjectDeleteMarker": True})
    until(lambda: [key for key, _, _ in versions(b)[1]] == ["w"])
    b.s3.delete_bucket_lifecycle(Bucket=b.bucket)
    clear(b)


@case("aging")
def uploads_that_nobody_completes_are_given_up(b):
    given = {"Bucket": b.bucket, "Key": "never"}
    upload = b.s3.create_multipart_upload(**given)["UploadId"]
    b.s3.upload_part(UploadId=upload, PartNumber=1, Body=b"x", **given)
    rule(b, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7})
    b.forward(6 * DAY)
    assert len(b.s3.list_multipart_uploads(Bucket=b.bucket)["Uploads"]) == 1
    b.forward(2 * DAY)
    until(lambda: "Uploads" not in b.s3.list_multipart_uploads(Bucket=b.bucket))
    b.s3.delete_bucket_lifecycle(Bucket=b.bucket)


@case("declared")
def rules_of_the_manifest_hold_without_a_client(b):
    b.put("tmp/a", b"x")
    b.put("kept/a", b"one")
    b.put("kept/a", b"two")
    b.forward(DAY)
    until(lambda: b.keys() == ["kept/a"])
    until(lambda: [key for key, _, latest in versions(b, Prefix="kept/")[0] if not latest] == [])
    assert b.read("kept/a") == b"two"
