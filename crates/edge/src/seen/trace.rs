//! The trace that a request is part of (W3C Trace Context): kept where one is brought, made where none is.
//!
//! A visitor's own trace is kept, if it is one: a browser with tracing begins it. Nothing here trusts it: it is a name, and
//! what it says of recording is followed. What goes on to an instance has a new parent: our span, where spans go somewhere, and
//! else a name under which nobody knows this request. Where we make a trace it says that it is recorded, or that a share of
//! them is: otherwise whoever asks its parent, as all SDKs do by themselves, would record nothing.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::log::is_in_share;
use crate::chance;
use crate::hexadecimal::write;

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(crate) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// `00-` trace `-` parent `-` flags, in hexadecimal digits.
const LENGTH: usize = 55;
const RECORDED: u8 = 1;

/// The trace of a request, with the parent of what comes next in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) trace: u128,
    /// The parent of what comes next, which is what happens here.
    pub(super) parent: u64,
    /// The parent of what happens here, where one is brought.
    pub(super) above: Option<u64>,
    pub(super) flags: u8,
}

impl Trace {
    /// The trace of a request, whose headers say it from here on. Of those that begin here such a share is recorded.
    pub(crate) fn pass(headers: &mut HeaderMap, share: f64) -> Trace {
        let brought = {
            let mut all = headers.get_all(TRACEPARENT).iter();
            match (all.next(), all.next()) {
                (Some(one), None) => read(one.as_bytes()),
                _ => None,
            }
        };
        let (trace, above, flags) = match brought {
            Some((trace, above, flags)) => (trace, Some(above), flags),
            None => {
                // Its state belongs to a trace that there is not.
                headers.remove(TRACESTATE);
                let trace = u128::from(made()) << 64 | u128::from(made());
                (trace, None, if is_in_share(share, trace) { RECORDED } else { 0 })
            }
        };
        let trace = Trace {
            trace,
            parent: made(),
            above,
            flags,
        };
        headers.insert(TRACEPARENT, trace.header());
        trace
    }

    /// Whether it is to be recorded.
    pub(super) fn is_recorded(&self) -> bool {
        self.flags & RECORDED != 0
    }

    fn header(&self) -> HeaderValue {
        let mut text = [b'-'; LENGTH];
        write(&[0], &mut text[..2]);
        write(&self.trace.to_be_bytes(), &mut text[3..35]);
        write(&self.parent.to_be_bytes(), &mut text[36..52]);
        write(&[self.flags], &mut text[53..]);
        HeaderValue::from_bytes(&text).expect("it is in hexadecimal digits")
    }
}

/// The trace, the parent and the flags that are brought. Of a later version what we know of it is read.
fn read(text: &[u8]) -> Option<(u128, u64, u8)> {
    let version = number(text.get(..2)?)?;
    let ends = match version {
        0xFF => false,
        0 => text.len() == LENGTH,
        _ => text.len() == LENGTH || text.get(LENGTH) == Some(&b'-'),
    };
    let dashes = [2, 35, 52].iter().all(|at| text.get(*at) == Some(&b'-'));
    if !ends || !dashes {
        return None;
    }
    let trace = number(&text[3..35])?;
    let parent = number(&text[36..52])?;
    let flags = number(&text[53..LENGTH])?;
    (trace != 0 && parent != 0).then_some((trace, parent as u64, (flags & 3) as u8))
}

/// Small letters only: that is how the standard wants it.
fn number(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number: u128, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

/// A number that nobody can guess, and never zero.
fn made() -> u64 {
    chance::number().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROUGHT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn passed(rows: &[(HeaderName, &str)]) -> (Trace, HeaderMap) {
        let mut headers: HeaderMap = HeaderMap::new();
        for (name, value) in rows {
            headers.append(
                name.clone(),
                HeaderValue::try_from(*value).expect("it is a value"),
            );
        }
        (Trace::pass(&mut headers, 1.0), headers)
    }

    #[test]
    fn a_trace_that_is_brought_goes_on_with_a_new_parent_and_its_state() {
        let (trace, headers) = passed(&[(TRACEPARENT, BROUGHT), (TRACESTATE, "a=b")]);
        assert_eq!(trace.trace, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        let said = headers[TRACEPARENT].to_str().expect("it is text");
        assert!(said.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{said}");
        assert!(said.ends_with("-01") && said.len() == LENGTH, "{said}");
        assert!(!said.contains("00f067aa0ba902b7"), "{said}");
        assert_eq!(headers[TRACESTATE], "a=b");
        assert!(read(said.as_bytes()).is_some());
    }

    #[test]
    fn what_is_no_trace_is_replaced_and_its_state_dropped() {
        let zeros = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
        let orphan = "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01";
        let capitals = BROUGHT.to_uppercase();
        let longer = format!("{BROUGHT}-x");
        let forbidden = format!("ff{}", &BROUGHT[2..]);
        for wrong in [
            "",
            "00",
            zeros,
            orphan,
            &capitals,
            &longer,
            &forbidden,
            &BROUGHT[..54],
        ] {
            let (trace, headers) = passed(&[(TRACEPARENT, wrong), (TRACESTATE, "a=b")]);
            assert_ne!(trace.trace, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, "{wrong}");
            assert!(!headers.contains_key(TRACESTATE), "{wrong}");
            assert!(read(headers[TRACEPARENT].as_bytes()).is_some(), "{wrong}");
        }
        let (_, twice) = passed(&[(TRACEPARENT, BROUGHT), (TRACEPARENT, BROUGHT)]);
        assert_eq!(twice.get_all(TRACEPARENT).iter().count(), 1);
        assert!(
            !twice[TRACEPARENT]
                .to_str()
                .expect("it is text")
                .contains("4bf92f")
        );
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = format!("01{}-more", &BROUGHT[2..]);
        assert_eq!(
            read(later.as_bytes()).map(|(trace, ..)| trace),
            read(BROUGHT.as_bytes()).map(|(trace, ..)| trace)
        );
        assert_eq!(read(format!("01{}x", &BROUGHT[2..]).as_bytes()), None);
    }
}
