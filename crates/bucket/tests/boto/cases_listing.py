"""Listings, and what is asked about the bucket."""

import json
import urllib.request

from run import case, refused

KEYS = ["a", "b/1", "b/2", "b/c/3", "b0", "c/", "c/x", "d"]


def fill(b, keys=KEYS):
    pages = b.s3.get_paginator("list_objects_v2").paginate(Bucket=b.bucket)
    for page in pages:
        old = [{"Key": one["Key"]} for one in page.get("Contents", [])]
        if old:
            b.s3.delete_objects(Bucket=b.bucket, Delete={"Objects": old})
    for key in keys:
        b.put(key, key.encode())


def shown(answer):
    objects = [one["Key"] for one in answer.get("Contents", [])]
    return objects, [one["Prefix"] for one in answer.get("CommonPrefixes", [])]


@case("listed")
def keys_come_in_the_order_of_their_bytes(b):
    fill(b, ["b", "a", "B", "ä", "a/b", "a!", "\U0001f6a4", "\uffee"])
    assert b.keys() == sorted(b.keys(), key=lambda key: key.encode())


@case("listed")
def an_object_is_listed_with_what_it_is(b):
    fill(b, ["one"])
    one = b.s3.list_objects_v2(Bucket=b.bucket)["Contents"][0]
    assert one["Size"] == 3 and one["ETag"] == b.head("one")["ETag"] and one["StorageClass"] == "STANDARD"
    assert "Owner" not in one
    one = b.s3.list_objects_v2(Bucket=b.bucket, FetchOwner=True)["Contents"][0]
    assert one["Owner"]["ID"]


@case("listed")
def an_empty_bucket_lists_nothing(b):
    fill(b, [])
    answer = b.s3.list_objects_v2(Bucket=b.bucket)
    assert answer["KeyCount"] == 0 and not answer["IsTruncated"]


@case("listed")
def a_prefix(b):
    fill(b)
    assert b.keys(Prefix="b/") == ["b/1", "b/2", "b/c/3"]
    assert b.keys(Prefix="b") == ["b/1", "b/2", "b/c/3", "b0"]
    assert b.keys(Prefix="z") == []


@case("listed")
def a_delimiter(b):
    fill(b)
    assert shown(b.s3.list_objects_v2(Bucket=b.bucket, Delimiter="/")) == (["a", "b0", "d"], ["b/", "c/"])


@case("listed")
def a_prefix_with_a_delimiter(b):
    fill(b)
    answer = b.s3.list_objects_v2(Bucket=b.bucket, Delimiter="/", Prefix="b/")
    assert shown(answer) == (["b/1", "b/2"], ["b/c/"])
    answer = b.s3.list_objects_v2(Bucket=b.bucket, Delimiter="/", Prefix="c/")
    assert shown(answer) == (["c/", "c/x"], [])


@case("listed")
def a_delimiter_of_several_letters(b):
    fill(b, ["a--b", "a--c", "d-e"])
    assert shown(b.s3.list_objects_v2(Bucket=b.bucket, Delimiter="--")) == (["d-e"], ["a--"])


@case("listed")
def pages_of_every_size_show_everything_once(b):
    fill(b)
    for size in range(1, 10):
        pages = b.s3.get_paginator("list_objects_v2").paginate(
            Bucket=b.bucket, PaginationConfig={"PageSize": size}
        )
        assert [one["Key"] for page in pages for one in page.get("Contents", [])] == KEYS, size


@case("listed")
def pages_with_a_delimiter_show_everything_once(b):
    fill(b)
    for size in range(1, 7):
        objects, common = [], []
        for page in b.s3.get_paginator("list_objects_v2").paginate(
            Bucket=b.bucket, Delimiter="/", PaginationConfig={"PageSize": size}
        ):
            found = shown(page)
            assert page["KeyCount"] == len(found[0]) + len(found[1]) <= size
            objects += found[0]
            common += found[1]
        assert (objects, common) == (["a", "b0", "d"], ["b/", "c/"]), size


@case("listed")
def the_first_way_of_listing_has_pages_too(b):
    fill(b)
    for size in (1, 2, 3, 7):
        objects, common = [], []
        for page in b.s3.get_paginator("list_objects").paginate(
            Bucket=b.bucket, Delimiter="/", PaginationConfig={"PageSize": size}
        ):
            found = shown(page)
            objects += found[0]
            common += found[1]
        assert (objects, common) == (["a", "b0", "d"], ["b/", "c/"]), size
    pages = b.s3.get_paginator("list_objects").paginate(Bucket=b.bucket, PaginationConfig={"PageSize": 3})
    assert [one["Key"] for page in pages for one in page.get("Contents", [])] == KEYS


@case("listed")
def a_marker(b):
    fill(b)
    answer = b.s3.list_objects(Bucket=b.bucket, Marker="b/2")
    assert shown(answer)[0] == ["b/c/3", "b0", "c/", "c/x", "d"] and answer["Marker"] == "b/2"


@case("listed")
def a_listing_starts_after_a_key(b):
    fill(b)
    assert b.keys(StartAfter="b/c/3") == ["b0", "c/", "c/x", "d"]
    assert b.keys(StartAfter="b/") == KEYS[1:]
    assert b.keys(StartAfter="zzz") == []
    assert b.keys(StartAfter="a", Prefix="c/") == ["c/", "c/x"]


@case("listed")
def none_can_be_asked_for(b):
    fill(b)
    answer = b.s3.list_objects_v2(Bucket=b.bucket, MaxKeys=0)
    assert answer["KeyCount"] == 0 and not answer["IsTruncated"]


@case("listed")
def a_token_that_is_not_ours_is_refused(b):
    refused("InvalidArgument", b.s3.list_objects_v2, Bucket=b.bucket, ContinuationToken="%%%")


@case("listed")
def keys_that_break_xml_are_listed(b):
    odd = ["<&>\"'", "tab\there", "line\nbreak", "bell\x07", "a b+c%20"]
    fill(b, odd)
    assert b.keys() == sorted(odd)
    answer = b.s3.list_objects_v2(Bucket=b.bucket, Prefix="a b", Delimiter="+")
    assert shown(answer)[1] == ["a b+"]
    # No answer to the deletion of many can name it: XML has no such letter, there as in S3.
    b.s3.delete_object(Bucket=b.bucket, Key="bell\x07")


@case("listed")
def a_thousand_keys_and_more_have_pages(b):
    from concurrent.futures import ThreadPoolExecutor

    names = ["many/%04d" % number for number in range(1005)]
    fill(b, [])
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(b.put, names))
    answer = b.s3.list_objects_v2(Bucket=b.bucket, Prefix="many/")
    assert len(answer["Contents"]) == 1000 and answer["IsTruncated"]
    assert b.keys(Prefix="many/") == names
    assert shown(b.s3.list_objects_v2(Bucket=b.bucket, Delimiter="/"))[1] == ["many/"]
    fill(b, [])


@case("plain")
def the_bucket_is_there(b):
    assert [one["Name"] for one in b.s3.list_buckets()["Buckets"]] == [b.bucket]
    assert b.s3.head_bucket(Bucket=b.bucket)["BucketRegion"] == "us-east-1"
    refused("404", b.s3.head_bucket, Bucket="another")


@case("plain")
def the_bucket_is_where_it_says(b):
    assert b.s3.get_bucket_location(Bucket=b.bucket)["LocationConstraint"] is None


@case("plain")
def the_bucket_may_be_made_again_and_no_other(b):
    b.s3.create_bucket(Bucket=b.bucket)
    answer = refused("AccessDenied", b.s3.create_bucket, Bucket="another")
    assert "towpath.toml" in answer["Error"]["Message"]


@case("plain")
def the_bucket_is_not_deleted_by_a_client(b):
    answer = refused("AccessDenied", b.s3.delete_bucket, Bucket=b.bucket)
    assert "towpath.toml" in answer["Error"]["Message"]


@case("plain")
def another_bucket_is_not_there(b):
    refused("NoSuchBucket", b.s3.put_object, Bucket="another", Key="x", Body=b"")
    refused("NoSuchBucket", b.s3.list_objects_v2, Bucket="another")


@case("plain")
def what_is_not_done_here_is_said(b):
    refused("NotImplemented", b.s3.get_bucket_website, Bucket=b.bucket)


@case("plain")
def health_is_told_to_anybody(b):
    assert urllib.request.urlopen(b.url + "/-/health", timeout=10).read() == b"well\n"


@case("plain")
def facts_are_told_to_nobody_without_the_key(b):
    try:
        urllib.request.urlopen(b.url + "/-/facts", timeout=10)
    except urllib.error.HTTPError as refusal:
        assert refusal.code == 403
    else:
        raise AssertionError("they were told")


@case("plain")
def facts_are_told_to_whoever_has_the_key(b):
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    request = AWSRequest("GET", b.url + "/-/facts")
    request.context["payload_signing_enabled"] = True
    S3SigV4Auth(Credentials("towpath", "a secret of its own"), "s3", "us-east-1").add_auth(request)
    answer = urllib.request.urlopen(urllib.request.Request(request.url, headers=dict(request.headers)), timeout=10)
    assert set(json.load(answer)) == {"objects", "bytes", "versions"}
