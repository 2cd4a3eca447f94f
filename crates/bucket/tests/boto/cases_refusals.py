"""What is refused: who may not, what is too much, what is not what it says."""

import http.client
import time
import urllib.error
import urllib.request

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from run import case, refused


def status(url, method="GET", body=None, headers=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        return urllib.request.urlopen(request, timeout=10).status
    except urllib.error.HTTPError as refusal:
        return refusal.code


def unsigned(b):
    return boto3.client(
        "s3", endpoint_url=b.url, region_name="us-east-1", config=Config(signature_version=UNSIGNED)
    )


@case("plain")
def a_wrong_secret_is_refused(b):
    client = b.client(secret="another")
    refused("SignatureDoesNotMatch", client.list_objects_v2, Bucket=b.bucket)
    refused("SignatureDoesNotMatch", client.put_object, Bucket=b.bucket, Key="x", Body=b"x")


@case("plain")
def an_unknown_key_is_refused(b):
    refused("InvalidAccessKeyId", b.client(key="somebody").list_objects_v2, Bucket=b.bucket)


@case("plain")
def nobody_may_do_anything_without_a_signature(b):
    b.put("private", b"x")
    client = unsigned(b)
    refused("AccessDenied", client.get_object, Bucket=b.bucket, Key="private")
    refused("AccessDenied", client.list_objects_v2, Bucket=b.bucket)
    refused("AccessDenied", client.put_object, Bucket=b.bucket, Key="x", Body=b"x")
    refused("AccessDenied", client.delete_object, Bucket=b.bucket, Key="private")


@case("plain")
def a_clock_that_is_wrong_is_refused(b):
    from unittest import mock

    import botocore.auth
    import datetime

    late = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(hours=1)
    names = [name for name in ("get_current_datetime",) if hasattr(botocore.auth, name)]
    if names:
        with mock.patch("botocore.auth.get_current_datetime", return_value=late):
            refused("RequestTimeTooSkewed", b.s3.list_objects_v2, Bucket=b.bucket)
    else:
        with mock.patch("botocore.auth.datetime") as clock:
            clock.datetime.utcnow.return_value = late
            refused("RequestTimeTooSkewed", b.s3.list_objects_v2, Bucket=b.bucket)


@case("plain")
def an_address_that_has_expired_is_refused(b):
    b.put("presigned", b"x")
    client = b.client(signature_version="s3v4")
    url = client.generate_presigned_url("get_object", {"Bucket": b.bucket, "Key": "presigned"}, ExpiresIn=1)
    assert status(url) == 200
    deadline = time.monotonic() + 15
    while status(url) != 403:
        assert time.monotonic() < deadline, "it never expires"


@case("plain")
def an_address_is_for_what_it_was_signed_for(b):
    b.put("presigned", b"x")
    b.put("presigned-not", b"x")
    client = b.client(signature_version="s3v4")
    url = client.generate_presigned_url("get_object", {"Bucket": b.bucket, "Key": "presigned"})
    assert status(url) == 200
    assert status(url.replace("presigned", "presigned-not")) == 403
    assert status(url, "PUT", b"x") == 403
    assert status(url, "DELETE") == 403
    assert status(url + "&versionId=null") == 403


@case("plain")
def a_body_that_was_changed_on_its_way_is_refused(b):
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    request = AWSRequest("PUT", "%s/%s/changed" % (b.url, b.bucket), data=b"signed")
    request.context["payload_signing_enabled"] = True
    S3SigV4Auth(Credentials("towpath", "a secret of its own"), "s3", "us-east-1").add_auth(request)
    assert status(request.url, "PUT", b"forged", dict(request.headers)) == 400
    refused("404", b.head, "changed")


@case("plain", "sealed")
def a_check_sum_of_other_content_is_refused(b):
    refused("BadDigest", b.put, "digest", b"x", ChecksumCRC32="AAAAAA==")
    refused("BadDigest", b.put, "digest", b"x", ChecksumSHA256="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    refused("404", b.head, "digest")


@case("plain", "sealed")
def an_md5_of_other_content_is_refused(b):
    refused("BadDigest", b.put, "digest", b"x", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")
    refused("InvalidDigest", b.put, "digest", b"x", ContentMD5="abc")
    refused("404", b.head, "digest")


@case("plain")
def an_md5_of_this_content_is_taken(b):
    b.put("digest", b"", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")
    b.s3.delete_object(Bucket=b.bucket, Key="digest")


@case("plain")
def a_key_has_a_length(b):
    b.put("k" * 1024, b"x")
    assert b.read("k" * 1024) == b"x"
    b.s3.delete_object(Bucket=b.bucket, Key="k" * 1024)
    refused("KeyTooLongError", b.put, "k" * 1025, b"x")
    refused("KeyTooLongError", b.put, "\u00e4" * 513, b"x")


@case("plain")
def metadata_has_a_size(b):
    b.put("meta", b"x", Metadata={"a": "x" * 2000})
    refused("MetadataTooLarge", b.put, "meta", b"x", Metadata={"a": "x" * 2048})


@case("plain")
def a_head_of_a_request_has_a_size(b):
    line = http.client.HTTPConnection("127.0.0.1", b.port, timeout=10)
    line.putrequest("GET", "/" + b.bucket)
    for number in range(20):
        line.putheader("x-amz-meta-%d" % number, "x" * 8000)
    try:
        line.endheaders()
        assert line.getresponse().status in (400, 431)
    except (ConnectionError, http.client.HTTPException):
        pass  # It may break off while we still write.
    finally:
        line.close()


@case("plain")
def tags_have_a_number_and_a_size(b):
    refused("InvalidTag", b.put, "tags", b"x", Tagging="&".join("k%d=v" % number for number in range(11)))
    refused("InvalidTag", b.put, "tags", b"x", Tagging="k" * 129 + "=v")
    refused("InvalidTag", b.put, "tags", b"x", Tagging="k=" + "v" * 257)
    refused("InvalidTag", b.put, "tags", b"x", Tagging="k=1&k=2")
    b.put("tags", b"x")
    twice = {"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}
    refused("InvalidTag", b.s3.put_object_tagging, Bucket=b.bucket, Key="tags", Tagging=twice)
    refused("NoSuchKey", b.s3.get_object_tagging, Bucket=b.bucket, Key="never")


@case("plain")
def a_thousand_and_one_are_not_deleted_at_once(b):
    names = {"Objects": [{"Key": "%d" % number} for number in range(1001)]}
    refused("MalformedXML", b.s3.delete_objects, Bucket=b.bucket, Delete=names)


@case("plain", "sealed")
def keys_that_look_like_paths_are_keys(b):
    for key in ["../../etc/passwd", "..", "a/../b", "./a", "/etc/passwd", "a/./b", "..\\..\\x", "content/00/x"]:
        b.put(key, b"only a key: " + key.encode())
        assert b.read(key) == b"only a key: " + key.encode(), key
        assert key in b.keys()
        b.s3.delete_object(Bucket=b.bucket, Key=key)


@case("plain")
def paths_that_leave_the_bucket_lead_nowhere(b):
    for path in ["/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/-/../bucket.db", "/-/facts/..", "/-/x"]:
        line = http.client.HTTPConnection("127.0.0.1", b.port, timeout=10)
        line.request("GET", path)
        assert line.getresponse().status in (400, 403, 404), path
        line.close()


@case("plain")
def a_body_that_breaks_off_leaves_nothing(b):
    client = b.client(signature_version="s3v4")
    url = client.generate_presigned_url("put_object", {"Bucket": b.bucket, "Key": "broken-off"})
    line = http.client.HTTPConnection("127.0.0.1", b.port, timeout=10)
    line.putrequest("PUT", url[len(b.url):], skip_accept_encoding=True)
    line.putheader("content-length", "100000")
    line.endheaders()
    line.send(b"x" * 50000)
    line.close()
    refused("404", b.head, "broken-off")
    assert "broken-off" not in b.keys()


@case("public")
def anybody_reads_an_object_of_a_public_bucket(b):
    b.put("shown/page.html", b"<p>", ContentType="text/html")
    answer = urllib.request.urlopen("%s/%s/shown/page.html" % (b.url, b.bucket), timeout=10)
    assert answer.read() == b"<p>" and answer.headers["content-type"] == "text/html"
    assert status("%s/%s/shown/page.html" % (b.url, b.bucket), "HEAD") == 200
    assert unsigned(b).get_object(Bucket=b.bucket, Key="shown/page.html")["Body"].read() == b"<p>"


@case("public")
def nobody_does_more_than_read_in_a_public_bucket(b):
    b.put("shown/page.html", b"<p>")
    client = unsigned(b)
    refused("AccessDenied", client.list_objects_v2, Bucket=b.bucket)
    refused("AccessDenied", client.put_object, Bucket=b.bucket, Key="x", Body=b"x")
    refused("AccessDenied", client.delete_object, Bucket=b.bucket, Key="shown/page.html")
    refused("AccessDenied", client.get_object_tagging, Bucket=b.bucket, Key="shown/page.html")
    refused("AccessDenied", client.list_object_versions, Bucket=b.bucket)


@case("public")
def nobody_changes_what_an_object_is_shown_as(b):
    b.put("shown/text", b"<script>", ContentType="text/plain")
    assert status("%s/%s/shown/text?response-content-type=text/html" % (b.url, b.bucket)) == 400


@case("public")
def a_wrong_signature_is_no_way_into_a_public_bucket(b):
    b.put("shown/page.html", b"<p>")
    client = b.client(secret="another")
    refused("SignatureDoesNotMatch", client.get_object, Bucket=b.bucket, Key="shown/page.html")


@case("public")
def the_name_of_the_bucket_may_stand_in_the_name_of_the_host(b):
    b.put("shown/page.html", b"<p>")
    line = http.client.HTTPConnection("127.0.0.1", b.port, timeout=10)
    line.request("GET", "/shown/page.html", headers={"host": "%s.localhost:%d" % (b.bucket, b.port)})
    assert line.getresponse().read() == b"<p>"
    line.close()


@case("small")
def a_bucket_that_is_full_refuses_and_keeps_what_it_has(b):
    b.put("first", b"x" * 600_000)
    answer = refused("QuotaExceeded", b.put, "second", b"x" * 600_000)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 507
    assert b.keys() == ["first"] and len(b.read("first")) == 600_000
    b.s3.delete_object(Bucket=b.bucket, Key="first")
    b.put("second", b"x" * 600_000)
    b.s3.delete_object(Bucket=b.bucket, Key="second")


@case("small")
def a_copy_takes_no_room(b):
    b.put("first", b"x" * 600_000)
    b.s3.copy_object(Bucket=b.bucket, Key="copy", CopySource={"Bucket": b.bucket, "Key": "first"})
    for key in ("first", "copy"):
        b.s3.delete_object(Bucket=b.bucket, Key=key)
    b.put("third", b"x" * 1_000_000)
    b.s3.delete_object(Bucket=b.bucket, Key="third")
