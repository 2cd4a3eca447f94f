//! Spans as OTLP writes them (`opentelemetry.proto.collector.trace.v1`, in protobuf): the fields that we fill in, and nothing else.
//!
//! The messages are stable, and five kinds of field are all that they need. What would do it for us, the `opentelemetry`
//! family, brings some forty packages, a second HTTP client and a clock of its own, and encodes a span from a dozen
//! allocations; here it is one. Whether it is right is checked with the classes that are generated from the definition.

/// A message that is being written.
#[derive(Debug, Default)]
pub(super) struct Message(pub(super) Vec<u8>);

const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const LENGTH: u64 = 2;
const FOUR_BYTES: u64 = 5;

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn key(&mut self, field: u64, kind: u64) {
        self.varint(field << 3 | kind);
    }

    pub(super) fn number(&mut self, field: u64, number: u64) {
        self.key(field, VARINT);
        self.varint(number);
    }

    pub(super) fn fixed(&mut self, field: u64, number: u64) {
        self.key(field, EIGHT_BYTES);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn small(&mut self, field: u64, number: u32) {
        self.key(field, FOUR_BYTES);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.key(field, LENGTH);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, field: u64, text: &str) {
        if !text.is_empty() {
            self.bytes(field, text.as_bytes());
        }
    }

    /// A message in this one.
    pub(super) fn within(&mut self, field: u64, write: impl FnOnce(&mut Message)) {
        let mut inner = Message::default();
        write(&mut inner);
        self.bytes(field, &inner.0);
    }

    /// An attribute with a text.
    pub(super) fn says(&mut self, field: u64, name: &str, text: &str) {
        if !text.is_empty() {
            self.within(field, |pair| {
                pair.text(1, name);
                pair.within(2, |value| value.text(1, text));
            });
        }
    }

    /// An attribute with a number.
    pub(super) fn counts(&mut self, field: u64, name: &str, number: u64) {
        self.within(field, |pair| {
            pair.text(1, name);
            pair.within(2, |value| value.number(3, number));
        });
    }
}

/// Everything that one edge says in one go: whose spans these are, and the spans as they were written.
pub(super) fn request(product: &str, environment: &str, spans: &[Vec<u8>]) -> Vec<u8> {
    let mut request = Message::default();
    request.within(1, |resource_spans| {
        resource_spans.within(1, |resource| {
            resource.says(1, "service.name", "edge");
            resource.says(1, "service.namespace", product);
            resource.says(1, "service.version", env!("CARGO_PKG_VERSION"));
            resource.says(1, "deployment.environment.name", environment);
        });
        resource_spans.within(2, |scope_spans| {
            scope_spans.within(1, |scope| scope.text(1, "towpath"));
            for span in spans {
                scope_spans.bytes(2, span);
            }
        });
    });
    request.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_as_protobuf_has_them() {
        let mut message = Message::default();
        message.number(1, 300);
        message.text(2, "testing");
        message.text(3, "");
        message.fixed(7, 1);
        message.small(16, 1);
        let wanted = b"\x08\xac\x02\x12\x07testing\x39\x01\0\0\0\0\0\0\0\x85\x01\x01\0\0\0";
        assert_eq!(message.0, wanted);
    }
}
