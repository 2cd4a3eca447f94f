"""A collector of spans: reads them with the classes that are generated from OpenTelemetry's own definition, and says what it got.

The first message is refused for a while, as by a collector that is overrun.
"""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def value(of):
    return getattr(of, of.WhichOneof("value"))


def pairs(attributes):
    return {pair.key: value(pair.value) for pair in attributes}


class Collector(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    refuses = 1

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if Collector.refuses > 0:
            Collector.refuses -= 1
            self.answer(503)
            return
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        # Whatever is not in the definition would be left over.
        assert request.SerializeToString(deterministic=True) and len(request.SerializeToString()) == len(body)
        for of_resource in request.resource_spans:
            for of_scope in of_resource.scope_spans:
                for span in of_scope.spans:
                    self.say(of_resource.resource, of_scope.scope, span)
        self.answer(200)

    def say(self, resource, scope, span):
        told = {
            "path": self.path,
            "kind_of_body": self.headers["Content-Type"],
            "team": self.headers["X-Team"],
            "resource": pairs(resource.attributes),
            "scope": scope.name,
            "trace": span.trace_id.hex(),
            "span": span.span_id.hex(),
            "above": span.parent_span_id.hex(),
            "state": span.trace_state,
            "name": span.name,
            "kind": span.kind,
            "took": span.end_time_unix_nano - span.start_time_unix_nano,
            "began": span.start_time_unix_nano,
            "attributes": pairs(span.attributes),
            "status": span.status.code,
            "flags": span.flags,
        }
        print(json.dumps(told), flush=True)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Collector)
print(server.server_port, flush=True)
server.serve_forever()
