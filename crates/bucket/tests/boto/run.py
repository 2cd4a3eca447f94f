"""Tries the bucket with boto3 as it is, a case a line. Called with the servers that are up, as JSON."""

import json
import socket
import sys
import traceback

import boto3
from botocore.config import Config

SERVERS = json.loads(sys.argv[1])
CASES = []


class Server:
    """A server that is up: its client, its bucket, and its clock."""

    def __init__(self, name):
        facts = SERVERS[name]
        self.name = name
        self.port = facts["port"]
        self.clock = facts["clock"]
        self.bucket = facts["bucket"]
        self.url = "http://127.0.0.1:%d" % self.port
        self.s3 = self.client()

    def client(self, key="towpath", secret="a secret of its own", **config):
        config = {"retries": {"max_attempts": 1}, **config}
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            region_name="us-east-1",
            config=Config(**config),
        )

    def forward(self, seconds):
        """Moves the clock that objects age by."""
        with socket.create_connection(("127.0.0.1", self.clock), timeout=10) as line:
            line.sendall(b"%d\n" % seconds)
            assert line.recv(16) == b"done\n"

    def put(self, key, body=b"x", **more):
        return self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **more)

    def get(self, key, **more):
        return self.s3.get_object(Bucket=self.bucket, Key=key, **more)

    def read(self, key, **more):
        return self.get(key, **more)["Body"].read()

    def head(self, key, **more):
        return self.s3.head_object(Bucket=self.bucket, Key=key, **more)

    def keys(self, **more):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, **more)
        return [one["Key"] for page in pages for one in page.get("Contents", [])]


def case(*servers):
    """A case, tried on each of these servers."""

    def register(function):
        for name in servers:
            CASES.append((name, function))
        return function

    return register


def refused(code, function, *given, **named):
    """The call is refused with this code of S3, or with one of several."""
    from botocore.exceptions import ClientError

    codes = code if isinstance(code, tuple) else (code,)
    try:
        function(*given, **named)
    except ClientError as refusal:
        found = refusal.response["Error"]["Code"]
        assert found in codes, "refused with %s and not %s: %s" % (found, codes, refusal)
        return refusal.response
    raise AssertionError("it was not refused with %s" % (codes,))


def main():
    import cases_listing
    import cases_objects
    import cases_parts
    import cases_refusals
    import cases_versions

    assert all([cases_listing, cases_objects, cases_parts, cases_refusals, cases_versions])
    opened = {name: Server(name) for name in SERVERS}
    failed = 0
    for name, function in CASES:
        line = "%s: %s" % (name, function.__name__.replace("_", " "))
        try:
            function(opened[name])
            print("ok     " + line, flush=True)
        except Exception:
            failed += 1
            print("FAILED " + line, flush=True)
            print(traceback.format_exc(), flush=True)
    print("%d cases, %d failed, boto3 %s" % (len(CASES), failed, boto3.__version__))
    return 1 if failed else 0


if __name__ == "__main__":
    # The cases import this file by its name.
    sys.modules["run"] = sys.modules["__main__"]
    sys.exit(main())
