"""Objects: written, read, copied and deleted."""

import datetime
import hashlib
import io
import os
import urllib.request

from run import case, refused

BOTH = ("plain", "sealed")
MUCH = os.urandom(3 * 1024 * 1024 + 17)


@case(*BOTH)
def an_object_comes_back_as_it_was_written(b):
    answer = b.put("a/boat.txt", b"on a canal")
    assert answer["ETag"] == '"%s"' % hashlib.md5(b"on a canal").hexdigest()
    assert b.read("a/boat.txt") == b"on a canal"


@case(*BOTH)
def an_empty_object_is_an_object(b):
    b.put("empty", b"")
    assert b.read("empty") == b"" and b.head("empty")["ContentLength"] == 0


@case(*BOTH)
def a_large_object_comes_back_whole(b):
    b.put("much", MUCH)
    assert b.read("much") == MUCH


@case(*BOTH)
def a_stream_of_a_known_length_is_taken(b):
    b.put("stream", io.BytesIO(MUCH))
    assert hashlib.sha256(b.read("stream")).digest() == hashlib.sha256(MUCH).digest()


@case("plain", "sealed")
def a_second_write_replaces_the_first(b):
    b.put("twice", b"one")
    b.put("twice", b"two")
    assert b.read("twice") == b"two"


@case("sealed")
def encryption_at_rest_is_told(b):
    assert b.put("told", b"x")["ServerSideEncryption"] == "AES256"
    assert b.head("told")["ServerSideEncryption"] == "AES256"
    assert b.get("told")["ServerSideEncryption"] == "AES256"


@case("sealed")
def encryption_may_be_asked_for(b):
    assert b.put("asked", b"x", ServerSideEncryption="AES256")["ServerSideEncryption"] == "AES256"


@case("plain")
def encryption_that_cannot_be_had_is_refused(b):
    refused("InvalidRequest", b.put, "asked", b"x", ServerSideEncryption="AES256")
    refused("NotImplemented", b.put, "asked", b"x", ServerSideEncryption="aws:kms")


@case("plain", "sealed")
def a_key_of_the_client_is_refused(b):
    refused("NotImplemented", b.put, "own", b"x", SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32)


@case("sealed")
def the_bucket_says_how_it_is_encrypted(b):
    answer = b.s3.get_bucket_encryption(Bucket=b.bucket)["ServerSideEncryptionConfiguration"]
    assert answer["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


@case("plain")
def a_bucket_that_is_not_encrypted_says_so(b):
    refused("ServerSideEncryptionConfigurationNotFoundError", b.s3.get_bucket_encryption, Bucket=b.bucket)


@case(*BOTH)
def a_range_from_the_beginning(b):
    b.put("much", MUCH)
    answer = b.get("much", Range="bytes=0-9")
    assert answer["Body"].read() == MUCH[:10]
    assert answer["ContentRange"] == "bytes 0-9/%d" % len(MUCH)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206


@case(*BOTH)
def a_range_over_the_edge_of_a_chunk(b):
    b.put("much", MUCH)
    assert b.read("much", Range="bytes=65530-65545") == MUCH[65530:65546]
    assert b.read("much", Range="bytes=131071-131072") == MUCH[131071:131073]


@case(*BOTH)
def a_range_over_many_batches(b):
    b.put("much", MUCH)
    assert b.read("much", Range="bytes=100-2500000") == MUCH[100:2500001]


@case(*BOTH)
def a_range_to_the_end(b):
    b.put("much", MUCH)
    assert b.read("much", Range="bytes=3145700-") == MUCH[3145700:]


@case(*BOTH)
def the_last_bytes(b):
    b.put("much", MUCH)
    assert b.read("much", Range="bytes=-20") == MUCH[-20:]
    assert b.read("much", Range="bytes=-99999999") == MUCH


@case(*BOTH)
def a_range_that_ends_behind_the_end_is_cut(b):
    b.put("short", b"0123456789")
    assert b.read("short", Range="bytes=5-100") == b"56789"


@case(*BOTH)
def a_range_behind_the_end_is_refused(b):
    b.put("short", b"0123456789")
    answer = refused("InvalidRange", b.get, "short", Range="bytes=10-20")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 416


@case("plain")
def a_head_tells_a_range(b):
    b.put("short", b"0123456789")
    assert b.head("short", Range="bytes=2-4")["ContentLength"] == 3


@case("plain")
def metadata_comes_back(b):
    b.put("meta", b"x", Metadata={"owner": "lock keeper", "berth": "7"})
    assert b.head("meta")["Metadata"] == {"owner": "lock keeper", "berth": "7"}
    assert b.get("meta")["Metadata"]["berth"] == "7"


@case("plain")
def headers_come_back(b):
    expires = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    given = {
        "ContentType": "text/css; charset=utf-8",
        "ContentEncoding": "gzip",
        "ContentDisposition": 'attachment; filename="boat.css"',
        "CacheControl": "max-age=60",
        "ContentLanguage": "de",
    }
    b.put("headers", b"x", Expires=expires, **given)
    found = b.head("headers")
    for name, value in given.items():
        assert found[name] == value, (name, found[name])
    assert found["Expires"] == expires


@case("plain")
def a_type_that_nobody_named_is_that_of_s3(b):
    b.put("untyped", b"x")
    assert b.head("untyped")["ContentType"] == "binary/octet-stream"


@case("plain")
def a_signed_request_changes_the_headers_of_its_answer(b):
    b.put("shown", b"x")
    answer = b.get("shown", ResponseContentType="text/plain", ResponseCacheControl="no-store")
    assert answer["ContentType"] == "text/plain" and answer["CacheControl"] == "no-store"


@case("plain")
def if_match(b):
    tag = b.put("if", b"x")["ETag"]
    assert b.read("if", IfMatch=tag) == b"x"
    refused("PreconditionFailed", b.get, "if", IfMatch='"other"')


@case("plain")
def if_none_match(b):
    tag = b.put("if", b"x")["ETag"]
    answer = refused("304", b.get, "if", IfNoneMatch=tag)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 304
    assert answer["ResponseMetadata"]["HTTPHeaders"]["etag"] == tag
    assert b.read("if", IfNoneMatch='"other"') == b"x"


@case("plain")
def if_modified_since(b):
    b.put("if", b"x")
    modified = b.head("if")["LastModified"]
    refused("304", b.get, "if", IfModifiedSince=modified)
    assert b.read("if", IfModifiedSince=modified - datetime.timedelta(seconds=5)) == b"x"


@case("plain")
def if_unmodified_since(b):
    b.put("if", b"x")
    modified = b.head("if")["LastModified"]
    assert b.read("if", IfUnmodifiedSince=modified) == b"x"
    refused("PreconditionFailed", b.get, "if", IfUnmodifiedSince=modified - datetime.timedelta(seconds=5))


@case("plain")
def an_entity_tag_is_asked_instead_of_a_time(b):
    tag = b.put("if", b"x")["ETag"]
    long_ago = b.head("if")["LastModified"] - datetime.timedelta(days=5)
    assert b.read("if", IfMatch=tag, IfUnmodifiedSince=long_ago) == b"x"
    assert b.read("if", IfNoneMatch='"other"', IfModifiedSince=datetime.datetime(2099, 1, 1)) == b"x"


@case("plain")
def a_head_has_conditions_too(b):
    tag = b.put("if", b"x")["ETag"]
    refused("304", b.head, "if", IfNoneMatch=tag)
    refused("412", b.head, "if", IfMatch='"other"')


@case(*BOTH)
def what_is_there_is_not_overwritten_where_nothing_may_be_there(b):
    b.s3.delete_object(Bucket=b.bucket, Key="once")
    b.put("once", b"first", IfNoneMatch="*")
    refused("PreconditionFailed", b.put, "once", b"second", IfNoneMatch="*")
    assert b.read("once") == b"first"


@case(*BOTH)
def only_what_was_read_is_overwritten(b):
    tag = b.put("cas", b"one")["ETag"]
    tag = b.put("cas", b"two", IfMatch=tag)["ETag"]
    refused("PreconditionFailed", b.put, "cas", b"three", IfMatch='"%s"' % hashlib.md5(b"one").hexdigest())
    assert b.read("cas") == b"two"
    refused("NoSuchKey", b.put, "cas-none", b"x", IfMatch=tag)


@case("plain")
def of_many_who_write_first_one_wins(b):
    from concurrent.futures import ThreadPoolExecutor

    from botocore.exceptions import ClientError

    b.s3.delete_object(Bucket=b.bucket, Key="race")

    def attempt(number):
        try:
            b.put("race", b"%d" % number, IfNoneMatch="*")
            return number
        except ClientError as refusal:
            assert refusal.response["Error"]["Code"] == "PreconditionFailed"

    with ThreadPoolExecutor(8) as pool:
        won = [number for number in pool.map(attempt, range(16)) if number is not None]
    assert len(won) == 1 and b.read("race") == b"%d" % won[0]


@case("plain")
def what_is_not_there_is_not_there(b):
    assert refused("NoSuchKey", b.get, "never")["ResponseMetadata"]["HTTPStatusCode"] == 404
    refused("404", b.head, "never")


@case(*BOTH)
def an_object_is_deleted(b):
    b.put("gone", b"x")
    b.s3.delete_object(Bucket=b.bucket, Key="gone")
    refused("NoSuchKey", b.get, "gone")


@case("plain")
def what_is_not_there_is_deleted_without_a_fault(b):
    answer = b.s3.delete_object(Bucket=b.bucket, Key="never")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204


@case("plain")
def only_what_was_read_is_deleted(b):
    b.put("cas-gone", b"x")
    refused("PreconditionFailed", b.s3.delete_object, Bucket=b.bucket, Key="cas-gone", IfMatch='"other"')
    b.s3.delete_object(Bucket=b.bucket, Key="cas-gone", IfMatch=b.head("cas-gone")["ETag"])
    refused("404", b.head, "cas-gone")


@case("plain", "sealed")
def many_are_deleted_at_once(b):
    for number in range(5):
        b.put("many/%d" % number)
    names = [{"Key": "many/%d" % number} for number in range(6)]
    answer = b.s3.delete_objects(Bucket=b.bucket, Delete={"Objects": names})
    assert len(answer["Deleted"]) == 6 and "Errors" not in answer
    assert b.keys(Prefix="many/") == []


@case("plain")
def many_are_deleted_quietly(b):
    b.put("quiet")
    names = {"Objects": [{"Key": "quiet"}], "Quiet": True}
    assert "Deleted" not in b.s3.delete_objects(Bucket=b.bucket, Delete=names)


@case(*BOTH)
def a_copy_has_the_content_and_the_metadata(b):
    b.put("from", MUCH, Metadata={"a": "1"}, ContentType="text/plain")
    answer = b.s3.copy_object(Bucket=b.bucket, Key="to", CopySource={"Bucket": b.bucket, "Key": "from"})
    assert answer["CopyObjectResult"]["ETag"] == b.head("from")["ETag"]
    assert b.read("to") == MUCH
    assert b.head("to")["Metadata"] == {"a": "1"} and b.head("to")["ContentType"] == "text/plain"


@case(*BOTH)
def a_copy_outlives_what_it_was_made_of(b):
    b.put("from", MUCH)
    b.s3.copy_object(Bucket=b.bucket, Key="to", CopySource={"Bucket": b.bucket, "Key": "from"})
    b.s3.delete_object(Bucket=b.bucket, Key="from")
    assert b.read("to") == MUCH
    b.s3.delete_object(Bucket=b.bucket, Key="to")


@case(*BOTH)
def a_copy_may_have_other_metadata(b):
    b.put("from", b"x", Metadata={"a": "1"})
    source = {"Bucket": b.bucket, "Key": "from"}
    b.s3.copy_object(
        Bucket=b.bucket, Key="to", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"}
    )
    assert b.head("to")["Metadata"] == {"b": "2"}


@case(*BOTH)
def what_is_said_about_an_object_is_changed_by_copying_it_onto_itself(b):
    b.put("self", MUCH, Metadata={"a": "1"})
    source = {"Bucket": b.bucket, "Key": "self"}
    refused("InvalidRequest", b.s3.copy_object, Bucket=b.bucket, Key="self", CopySource=source)
    b.s3.copy_object(
        Bucket=b.bucket, Key="self", CopySource=source, MetadataDirective="REPLACE", Metadata={"a": "2"}
    )
    assert b.head("self")["Metadata"] == {"a": "2"} and b.read("self") == MUCH


@case("plain")
def a_copy_is_made_on_conditions(b):
    tag = b.put("from", b"x")["ETag"]
    given = {"Bucket": b.bucket, "Key": "to", "CopySource": {"Bucket": b.bucket, "Key": "from"}}
    b.s3.copy_object(CopySourceIfMatch=tag, **given)
    refused("PreconditionFailed", b.s3.copy_object, CopySourceIfMatch='"other"', **given)
    refused("PreconditionFailed", b.s3.copy_object, CopySourceIfNoneMatch=tag, **given)


@case("plain")
def a_copy_of_nothing_is_refused(b):
    source = {"Bucket": b.bucket, "Key": "never"}
    refused("NoSuchKey", b.s3.copy_object, Bucket=b.bucket, Key="to", CopySource=source)
    source = {"Bucket": "another", "Key": "never"}
    refused("NoSuchBucket", b.s3.copy_object, Bucket=b.bucket, Key="to", CopySource=source)


@case("plain")
def a_copy_with_another_check_sum(b):
    b.put("from", b"123456789")
    answer = b.s3.copy_object(
        Bucket=b.bucket, Key="to", CopySource={"Bucket": b.bucket, "Key": "from"}, ChecksumAlgorithm="SHA256"
    )
    assert answer["CopyObjectResult"]["ChecksumSHA256"] == "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="


@case(*BOTH)
def keys_may_have_any_letters(b):
    for key in ["a b", "ä/ö/€", "a+b=c&d", "%41", "a//b", "/leading", "tail/", "~!*'()", "日本", "\U0001f6a4"]:
        b.put(key, key.encode())
        assert b.read(key) == key.encode(), key
        assert key in b.keys(), key
        b.s3.delete_object(Bucket=b.bucket, Key=key)


@case("plain")
def tags_are_kept(b):
    b.put("tagged", b"x", Tagging="a=1&b=two+words")
    assert b.get("tagged")["TagCount"] == 2
    tags = b.s3.get_object_tagging(Bucket=b.bucket, Key="tagged")["TagSet"]
    assert tags == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "two words"}]


@case("plain")
def tags_are_replaced_and_deleted(b):
    b.put("tagged", b"x", Tagging="a=1")
    b.s3.put_object_tagging(Bucket=b.bucket, Key="tagged", Tagging={"TagSet": [{"Key": "c", "Value": "3"}]})
    assert b.s3.get_object_tagging(Bucket=b.bucket, Key="tagged")["TagSet"] == [{"Key": "c", "Value": "3"}]
    b.s3.delete_object_tagging(Bucket=b.bucket, Key="tagged")
    assert b.s3.get_object_tagging(Bucket=b.bucket, Key="tagged")["TagSet"] == []


@case("plain")
def a_copy_has_the_tags_or_others(b):
    b.put("from", b"x", Tagging="a=1")
    given = {"Bucket": b.bucket, "Key": "to", "CopySource": {"Bucket": b.bucket, "Key": "from"}}
    b.s3.copy_object(**given)
    assert b.s3.get_object_tagging(Bucket=b.bucket, Key="to")["TagSet"] == [{"Key": "a", "Value": "1"}]
    b.s3.copy_object(TaggingDirective="REPLACE", Tagging="z=9", **given)
    assert b.s3.get_object_tagging(Bucket=b.bucket, Key="to")["TagSet"] == [{"Key": "z", "Value": "9"}]


@case("plain")
def each_check_sum_is_kept_and_told(b):
    known = {
        "CRC32": "y/Q5Jg==",
        "CRC32C": "4waSgw==",
        "SHA1": "98O8HYCOBHMq32eZZczDTKeuNEE=",
        "SHA256": "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
    }
    for algorithm, value in known.items():
        field = "Checksum" + algorithm
        if algorithm == "CRC32C":
            answer = b.put("sums", b"123456789", ChecksumCRC32C=value)
        else:
            answer = b.put("sums", b"123456789", ChecksumAlgorithm=algorithm)
        assert answer[field] == value, (algorithm, answer)
        assert b.head("sums", ChecksumMode="ENABLED")[field] == value
        assert b.read("sums", ChecksumMode="ENABLED") == b"123456789"


@case("plain")
def a_check_sum_that_nobody_named_is_told(b):
    # boto3 sends CRC32 by itself; one that sends none hears CRC64NVME, as from S3.
    client = b.client(request_checksum_calculation="when_required")
    client.put_object(Bucket=b.bucket, Key="sums", Body=b"123456789")
    found = b.head("sums", ChecksumMode="ENABLED")
    assert found["ChecksumCRC64NVME"] == "rosUhgp5mIg=", found


@case("plain")
def attributes_are_told(b):
    b.put("attributes", b"123456789", ChecksumAlgorithm="SHA256")
    answer = b.s3.get_object_attributes(
        Bucket=b.bucket, Key="attributes", ObjectAttributes=["ETag", "ObjectSize", "Checksum", "StorageClass"]
    )
    assert answer["ObjectSize"] == 9
    assert answer["ETag"].strip('"') == hashlib.md5(b"123456789").hexdigest()
    assert "ChecksumSHA256" in answer["Checksum"] and answer["StorageClass"] == "STANDARD"


@case("plain")
def a_body_may_be_signed_or_not(b):
    for signed in (True, False):
        client = b.client(s3={"payload_signing_enabled": signed}, request_checksum_calculation="when_required")
        client.put_object(Bucket=b.bucket, Key="signed", Body=b"%d" % signed)
        assert b.read("signed") == b"%d" % signed


@case("plain", "sealed")
def an_address_may_be_signed_for_reading(b):
    b.put("presigned", b"through an address")
    for version in ("s3v4", "s3"):
        client = b.client(signature_version=version)
        url = client.generate_presigned_url("get_object", {"Bucket": b.bucket, "Key": "presigned"})
        assert urllib.request.urlopen(url, timeout=10).read() == b"through an address"


@case("plain", "sealed")
def an_address_may_be_signed_for_writing(b):
    client = b.client(signature_version="s3v4")
    url = client.generate_presigned_url("put_object", {"Bucket": b.bucket, "Key": "presigned-put"})
    request = urllib.request.Request(url, data=b"written", method="PUT")
    assert urllib.request.urlopen(request, timeout=10).status == 200
    assert b.read("presigned-put") == b"written"


@case("plain")
def an_address_that_was_not_signed_gets_its_type(b):
    given = {"Bucket": b.bucket, "Key": "shown", "ResponseContentType": "text/plain"}
    b.put("shown", b"x")
    url = b.client(signature_version="s3v4").generate_presigned_url("get_object", given)
    assert urllib.request.urlopen(url, timeout=10).headers["content-type"] == "text/plain"


@case("plain", "sealed")
def a_form_of_a_browser_is_taken(b):
    form = b.s3.generate_presigned_post(b.bucket, "form/${filename}")
    edge = "a-boundary"
    parts = ["--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n" % (edge, name, value)
             for name, value in {**form["fields"], "key": "form/boat"}.items()]
    head = "".join(parts) + "--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"boat\"\r\n\r\n" % edge
    body = head.encode() + b"by form" + b"\r\n--%s--\r\n" % edge.encode()
    headers = {"content-type": "multipart/form-data; boundary=" + edge}
    answer = urllib.request.urlopen(urllib.request.Request(form["url"], body, headers), timeout=10)
    assert answer.status in (200, 204) and b.read("form/boat") == b"by form"


@case("plain")
def a_reader_keeps_what_it_has_begun(b):
    body = os.urandom(8 * 1024 * 1024)
    b.put("slow", body)
    stream = b.get("slow")["Body"]
    first = stream.read(10)
    b.put("slow", b"another")
    b.s3.delete_object(Bucket=b.bucket, Key="slow")
    assert first + stream.read() == body


@case("plain", "sealed")
def the_resource_interface_works(b):
    import boto3

    resource = boto3.resource("s3", endpoint_url=b.url, aws_access_key_id="towpath",
                              aws_secret_access_key="a secret of its own", region_name="us-east-1")
    target = resource.Object(b.bucket, "resource")
    target.put(Body=b"x" * 10)
    assert target.content_length == 10
    assert [one.key for one in resource.Bucket(b.bucket).objects.filter(Prefix="resource")] == ["resource"]
    target.delete()


@case("plain")
def waiters_work(b):
    b.put("waited")
    b.s3.get_waiter("object_exists").wait(Bucket=b.bucket, Key="waited", WaiterConfig={"Delay": 1, "MaxAttempts": 2})
    b.s3.get_waiter("bucket_exists").wait(Bucket=b.bucket, WaiterConfig={"Delay": 1, "MaxAttempts": 2})
