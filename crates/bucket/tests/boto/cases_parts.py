"""Uploads in parts."""

import hashlib
import io
import os

from boto3.s3.transfer import TransferConfig
from run import case, refused

MIB = 1024 * 1024
BOTH = ("plain", "sealed")
FIRST, SECOND = os.urandom(5 * MIB), os.urandom(MIB + 3)


def begin(b, key, **more):
    return b.s3.create_multipart_upload(Bucket=b.bucket, Key=key, **more)["UploadId"]


def part(b, key, upload, number, body, **more):
    answer = b.s3.upload_part(
        Bucket=b.bucket, Key=key, UploadId=upload, PartNumber=number, Body=body, **more
    )
    found = {"PartNumber": number, "ETag": answer["ETag"]}
    found.update({name: value for name, value in answer.items() if name.startswith("Checksum")})
    return found


def complete(b, key, upload, parts, **more):
    return b.s3.complete_multipart_upload(
        Bucket=b.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **more
    )


def whole(b, key, **more):
    upload = begin(b, key, **more)
    algorithm = {name: value for name, value in more.items() if name == "ChecksumAlgorithm"}
    parts = [part(b, key, upload, number, body, **algorithm) for number, body in ((1, FIRST), (2, SECOND))]
    return complete(b, key, upload, parts)


@case(*BOTH)
def parts_become_an_object(b):
    answer = whole(b, "parts", Metadata={"a": "1"}, ContentType="text/plain")
    tags = hashlib.md5(FIRST).digest() + hashlib.md5(SECOND).digest()
    assert answer["ETag"] == '"%s-2"' % hashlib.md5(tags).hexdigest()
    assert b.read("parts") == FIRST + SECOND
    found = b.head("parts")
    assert found["Metadata"] == {"a": "1"} and found["ContentType"] == "text/plain"
    assert found["ContentLength"] == len(FIRST) + len(SECOND)


@case(*BOTH)
def a_range_over_the_edge_of_a_part(b):
    whole(b, "parts")
    both = FIRST + SECOND
    assert b.read("parts", Range="bytes=%d-%d" % (5 * MIB - 7, 5 * MIB + 6)) == both[5 * MIB - 7 : 5 * MIB + 7]
    assert b.read("parts", Range="bytes=-10") == both[-10:]


@case(*BOTH)
def one_part_is_read_by_its_number(b):
    whole(b, "parts")
    answer = b.get("parts", PartNumber=2)
    assert answer["Body"].read() == SECOND and answer["PartsCount"] == 2
    refused(("InvalidPartNumber", "416"), b.get, "parts", PartNumber=3)


@case(*BOTH)
def a_file_is_uploaded_and_downloaded_by_the_transfer_of_boto(b):
    body = os.urandom(17 * MIB + 5)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)
    b.s3.upload_fileobj(io.BytesIO(body), b.bucket, "transfer", Config=config)
    found = io.BytesIO()
    b.s3.download_fileobj(b.bucket, "transfer", found, Config=config)
    assert found.getvalue() == body
    assert b.head("transfer")["ETag"].endswith('-4"')


@case(*BOTH)
def a_large_object_is_copied_by_the_transfer_of_boto(b):
    whole(b, "parts")
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    b.s3.copy({"Bucket": b.bucket, "Key": "parts"}, b.bucket, "copied", Config=config)
    assert b.read("copied") == FIRST + SECOND


@case(*BOTH)
def an_object_of_parts_is_copied_at_once(b):
    whole(b, "parts")
    b.s3.copy_object(Bucket=b.bucket, Key="copied", CopySource={"Bucket": b.bucket, "Key": "parts"})
    b.s3.delete_object(Bucket=b.bucket, Key="parts")
    assert b.read("copied") == FIRST + SECOND


@case(*BOTH)
def a_part_is_copied_from_an_object(b):
    b.put("source", FIRST)
    upload = begin(b, "parts")
    given = {"Bucket": b.bucket, "Key": "parts", "UploadId": upload}
    source = {"Bucket": b.bucket, "Key": "source"}
    one = b.s3.upload_part_copy(PartNumber=1, CopySource=source, **given)["CopyPartResult"]["ETag"]
    two = b.s3.upload_part_copy(PartNumber=2, CopySource=source, CopySourceRange="bytes=10-99", **given)
    two = two["CopyPartResult"]["ETag"]
    complete(b, "parts", upload, [{"PartNumber": 1, "ETag": one}, {"PartNumber": 2, "ETag": two}])
    assert b.read("parts") == FIRST + FIRST[10:100]


@case("plain")
def a_copied_part_has_conditions_and_a_range_that_is_there(b):
    b.put("source", b"0123456789")
    given = {"Bucket": b.bucket, "Key": "p", "UploadId": begin(b, "p"), "PartNumber": 1,
             "CopySource": {"Bucket": b.bucket, "Key": "source"}}
    refused("PreconditionFailed", b.s3.upload_part_copy, CopySourceIfMatch='"other"', **given)
    refused("InvalidArgument", b.s3.upload_part_copy, CopySourceRange="bytes=5-10", **given)
    b.s3.abort_multipart_upload(Bucket=b.bucket, Key="p", UploadId=given["UploadId"])


@case("plain")
def parts_may_leave_numbers_out_and_come_in_any_order(b):
    upload = begin(b, "gaps")
    last = part(b, "gaps", upload, 9000, SECOND)
    first = part(b, "gaps", upload, 7, FIRST)
    complete(b, "gaps", upload, [first, last])
    assert b.read("gaps") == FIRST + SECOND


@case(*BOTH)
def a_part_that_comes_again_replaces_the_first(b):
    upload = begin(b, "again")
    part(b, "again", upload, 1, b"wrong")
    right = part(b, "again", upload, 1, b"right")
    complete(b, "again", upload, [right])
    assert b.read("again") == b"right"


@case("plain")
def parts_that_are_not_named_are_forgotten(b):
    upload = begin(b, "some")
    one = part(b, "some", upload, 1, b"one")
    part(b, "some", upload, 2, b"two")
    complete(b, "some", upload, [one])
    assert b.read("some") == b"one"


@case("plain")
def a_part_that_is_too_small_is_refused(b):
    upload = begin(b, "small")
    parts = [part(b, "small", upload, number, b"x") for number in (1, 2)]
    refused("EntityTooSmall", complete, b, "small", upload, parts)
    b.s3.abort_multipart_upload(Bucket=b.bucket, Key="small", UploadId=upload)


@case("plain")
def parts_are_named_in_their_order(b):
    upload = begin(b, "order")
    parts = [part(b, "order", upload, number, FIRST) for number in (1, 2)]
    refused("InvalidPartOrder", complete, b, "order", upload, parts[::-1])
    b.s3.abort_multipart_upload(Bucket=b.bucket, Key="order", UploadId=upload)


@case("plain")
def a_part_that_is_not_there_is_refused(b):
    upload = begin(b, "missing")
    one = part(b, "missing", upload, 1, b"x")
    refused("InvalidPart", complete, b, "missing", upload, [{"PartNumber": 2, "ETag": one["ETag"]}])
    refused("InvalidPart", complete, b, "missing", upload, [{"PartNumber": 1, "ETag": '"0123"'}])
    complete(b, "missing", upload, [one])


@case("plain")
def no_part_at_all_is_refused(b):
    upload = begin(b, "none")
    refused("MalformedXML", b.s3.complete_multipart_upload, Bucket=b.bucket, Key="none", UploadId=upload)
    b.s3.abort_multipart_upload(Bucket=b.bucket, Key="none", UploadId=upload)


@case("plain")
def the_number_of_a_part_has_bounds(b):
    upload = begin(b, "bounds")
    for number in (0, 10_001):
        refused("InvalidArgument", part, b, "bounds", upload, number, b"x")
    part(b, "bounds", upload, 10_000, b"x")
    b.s3.abort_multipart_upload(Bucket=b.bucket, Key="bounds", UploadId=upload)


@case(*BOTH)
def an_upload_is_given_up(b):
    upload = begin(b, "given-up")
    one = part(b, "given-up", upload, 1, b"x")
    b.s3.abort_multipart_upload(Bucket=b.bucket, Key="given-up", UploadId=upload)
    refused("NoSuchUpload", complete, b, "given-up", upload, [one])
    refused("NoSuchUpload", part, b, "given-up", upload, 2, b"x")
    refused("404", b.head, "given-up")


@case("plain")
def an_upload_belongs_to_its_key(b):
    upload = begin(b, "mine")
    refused("NoSuchUpload", part, b, "yours", upload, 1, b"x")
    b.s3.abort_multipart_upload(Bucket=b.bucket, Key="mine", UploadId=upload)


@case("plain")
def nothing_is_listed_before_it_is_complete(b):
    upload = begin(b, "not-yet")
    part(b, "not-yet", upload, 1, b"x")
    assert "not-yet" not in b.keys()
    b.s3.abort_multipart_upload(Bucket=b.bucket, Key="not-yet", UploadId=upload)


@case("plain")
def parts_are_listed_in_pages(b):
    upload = begin(b, "listed")
    for number in range(1, 6):
        part(b, "listed", upload, number, b"x" * number)
    pages = b.s3.get_paginator("list_parts").paginate(
        Bucket=b.bucket, Key="listed", UploadId=upload, PaginationConfig={"PageSize": 2}
    )
    found = [(one["PartNumber"], one["Size"]) for page in pages for one in page["Parts"]]
    assert found == [(number, number) for number in range(1, 6)]
    b.s3.abort_multipart_upload(Bucket=b.bucket, Key="listed", UploadId=upload)


@case("plain")
def uploads_are_listed_in_pages(b):
    begun = sorted(("up/%d" % (number % 3), begin(b, "up/%d" % (number % 3))) for number in range(6))
    for size in (1, 2, 10):
        pages = b.s3.get_paginator("list_multipart_uploads").paginate(
            Bucket=b.bucket, Prefix="up/", PaginationConfig={"PageSize": size}
        )
        found = [(one["Key"], one["UploadId"]) for page in pages for one in page.get("Uploads", [])]
        assert found == begun, size
    answer = b.s3.list_multipart_uploads(Bucket=b.bucket, Delimiter="/", Prefix="u")
    assert [one["Prefix"] for one in answer["CommonPrefixes"]] == ["up/"]
    for key, upload in begun:
        b.s3.abort_multipart_upload(Bucket=b.bucket, Key=key, UploadId=upload)


@case("plain")
def an_upload_ends_on_conditions(b):
    b.put("cond", b"there")
    upload = begin(b, "cond")
    one = part(b, "cond", upload, 1, b"new")
    refused("PreconditionFailed", complete, b, "cond", upload, [one], IfNoneMatch="*")
    assert b.read("cond") == b"there"
    complete(b, "cond", upload, [one], IfMatch=b.head("cond")["ETag"])
    assert b.read("cond") == b"new"


@case("plain")
def a_sum_of_sums(b):
    answer = whole(b, "sums", ChecksumAlgorithm="SHA256")
    sums = hashlib.sha256(FIRST).digest() + hashlib.sha256(SECOND).digest()
    import base64

    expected = base64.b64encode(hashlib.sha256(sums).digest()).decode() + "-2"
    assert answer["ChecksumSHA256"] == expected and answer["ChecksumType"] == "COMPOSITE"
    assert b.head("sums", ChecksumMode="ENABLED")["ChecksumSHA256"] == expected


@case("plain")
def a_sum_of_the_whole(b):
    import base64
    import zlib

    answer = whole(b, "sums", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    expected = base64.b64encode(zlib.crc32(FIRST + SECOND).to_bytes(4, "big")).decode()
    assert answer["ChecksumCRC32"] == expected and answer["ChecksumType"] == "FULL_OBJECT"
    assert b.read("sums", ChecksumMode="ENABLED") == FIRST + SECOND


@case("plain")
def a_sum_of_the_whole_that_is_wrong_is_refused(b):
    upload = begin(b, "sums", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    one = part(b, "sums", upload, 1, b"x")
    refused("BadDigest", complete, b, "sums", upload, [one], ChecksumCRC32="AAAAAA==", ChecksumType="FULL_OBJECT")
    b.s3.abort_multipart_upload(Bucket=b.bucket, Key="sums", UploadId=upload)


@case("plain")
def a_part_with_another_check_sum_than_its_upload_is_refused(b):
    upload = begin(b, "sums", ChecksumAlgorithm="SHA256")
    refused("InvalidRequest", part, b, "sums", upload, 1, b"x", ChecksumAlgorithm="CRC32")
    b.s3.abort_multipart_upload(Bucket=b.bucket, Key="sums", UploadId=upload)


@case("plain")
def the_parts_are_told_with_the_attributes(b):
    whole(b, "parts", ChecksumAlgorithm="SHA256")
    answer = b.s3.get_object_attributes(Bucket=b.bucket, Key="parts", ObjectAttributes=["ObjectParts"])
    assert answer["ObjectParts"]["TotalPartsCount"] == 2
    assert [one["Size"] for one in answer["ObjectParts"]["Parts"]] == [len(FIRST), len(SECOND)]
