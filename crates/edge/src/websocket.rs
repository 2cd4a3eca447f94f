//! Where the frames of a WebSocket begin and end, in bytes that pass.
//!
//! Only that is read: a close frame of ours may be put between two frames and never into one (RFC 6455, 5.2).

/// 1012, "service restart", as a server sends it: a final close frame of two bytes, not masked.
pub(crate) const CLOSE_RESTART: [u8; 4] = [0x88, 0x02, 0x03, 0xF4];

const CLOSE: u8 = 0x8;

/// Reads one direction of a WebSocket.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// What has come of the head of a frame; a head has 14 bytes at most.
    head: [u8; 14],
    have: usize,
    /// What is to come of the frame's content.
    left: u64,
    closing: bool,
}

impl Frames {
    /// Reads bytes that pass.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let passes = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                self.left -= passes as u64;
                bytes = &bytes[passes..];
                continue;
            }
            self.head[self.have] = bytes[0];
            self.have += 1;
            bytes = &bytes[1..];
            if let Some(length) = self.length() {
                self.closing |= self.head[0] & 0x0F == CLOSE;
                self.left = length;
                self.have = 0;
            }
        }
    }

    /// Nothing of a frame has begun that has not ended.
    pub(crate) fn is_between(&self) -> bool {
        self.have == 0 && self.left == 0
    }

    /// A close frame has begun: nothing follows it.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// The length of the frame's content, once its head is whole.
    fn length(&self) -> Option<u64> {
        if self.have < 2 {
            return None;
        }
        let is_masked = self.head[1] & 0x80 != 0;
        let (wide, length) = match self.head[1] & 0x7F {
            126 => (2, u64::from(u16::from_be_bytes([self.head[2], self.head[3]]))),
            127 => {
                let mut wide = [0; 8];
                wide.copy_from_slice(&self.head[2..10]);
                (8, u64::from_be_bytes(wide))
            }
            short => (0, u64::from(short)),
        };
        let whole = 2 + wide + if is_masked { 4 } else { 0 };
        (self.have >= whole).then_some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, length: usize, is_masked: bool) -> Vec<u8> {
        let mask = if is_masked { 0x80 } else { 0 };
        let mut bytes = vec![0x80 | kind];
        match length {
            0..126 => bytes.push(mask | length as u8),
            126..65_536 => {
                bytes.push(mask | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(mask | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend(vec![0xAB; length + if is_masked { 4 } else { 0 }]);
        bytes
    }

    #[test]
    fn frames_end_where_they_end_however_their_bytes_arrive() {
        for is_masked in [false, true] {
            for length in [0, 1, 125, 126, 300, 65_535, 65_536, 70_000] {
                let bytes = frame(2, length, is_masked);
                for step in [1, 2, 7, 4_096, usize::MAX] {
                    let mut frames = Frames::default();
                    assert!(frames.is_between());
                    let chunks: Vec<&[u8]> = bytes.chunks(step.min(bytes.len())).collect();
                    for (at, chunk) in chunks.iter().enumerate() {
                        frames.feed(chunk);
                        let is_last = at + 1 == chunks.len();
                        assert_eq!(frames.is_between(), is_last, "{length} by {step}, chunk {at}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_close_frame_is_seen_among_others() {
        let mut frames = Frames::default();
        frames.feed(&frame(1, 8, false));
        assert!(!frames.is_closing());
        frames.feed(&CLOSE_RESTART);
        assert!(frames.is_closing() && frames.is_between());
    }

    #[test]
    fn a_frame_of_any_length_is_read_without_a_panic() {
        let mut frames = Frames::default();
        frames.feed(&[0x82, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
        frames.feed(&[0; 1_000]);
        assert!(!frames.is_between());
    }
}
