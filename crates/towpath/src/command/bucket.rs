//! `towpath bucket`: what is in a bucket.

use super::Context;
use super::shell::find;
use crate::cli::Bucket as Args;
use crate::door::clock;
use crate::failure::{Failure, Kind};
use crate::talk::wait;
use crate::view::measure::{ago, bytes, counted};
use crate::view::tame;
use std::net::{Ipv4Addr, SocketAddr};
use towpath_bucket::{Access, Listing, Object, list};
use towpath_model::desired::resource::ResourceKind;

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let open = find(&args.upon, ResourceKind::Bucket, "bucket")?;
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, open.port));
    let access = Access {
        key: open.resource.user,
        secret: open.password,
        region: open.resource.region,
    };
    let name = open.resource.database;
    let mut shown = Shown {
        json: args.json,
        ..Shown::default()
    };
    let terminal = context.terminal;
    wait(async {
        let mut behind = None;
        loop {
            let part = list(at, &access, &name, behind.as_deref()).await;
            let part = part.map_err(|error| Failure::new(Kind::Remote, error.to_string()))?;
            let text = shown.part(&part);
            // Whoever reads no further wants no more of it.
            if !terminal.stream(&text)? {
                return Ok(());
            }
            if part.next.is_none() {
                break;
            }
            behind = part.next;
        }
        Ok(())
    })?;
    if !args.json {
        let sum = counted(shown.objects, "object");
        terminal.tell(&format!("{sum}, {}\n", bytes(shown.bytes)));
    }
    Ok(())
}

/// What has been shown.
#[derive(Debug, Default)]
struct Shown {
    json: bool,
    objects: usize,
    bytes: u64,
}

impl Shown {
    /// A part of the listing as it is printed: a line each, or a part of one list in JSON.
    fn part(&mut self, part: &Listing) -> String {
        let mut text = String::new();
        let now = clock::now();
        for object in &part.objects {
            if self.json {
                text.push_str(if self.objects == 0 { "[\n  " } else { ",\n  " });
                text.push_str(&serde_json::to_string(object).unwrap_or_default());
            } else {
                text.push_str(&line(object, now));
            }
            self.objects += 1;
            self.bytes += object.bytes;
        }
        if self.json && part.next.is_none() {
            text.push_str(if self.objects == 0 { "[]\n" } else { "\n]\n" });
        }
        text
    }
}

fn line(object: &Object, now: jiff::Timestamp) -> String {
    let (size, age) = (bytes(object.bytes), ago(object.modified, now));
    format!("{size:>9}  {age:>8}  {}\n", tame::plain(&object.key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_listing_are_one_list_of_json() {
        let object = |key: &str| Object {
            key: key.to_owned(),
            bytes: 12,
            modified: jiff::Timestamp::UNIX_EPOCH,
        };
        let mut shown = Shown {
            json: true,
            ..Shown::default()
        };
        let first = shown.part(&Listing {
            objects: vec![object("a"), object("b")],
            next: Some("more".to_owned()),
        });
        let last = shown.part(&Listing {
            objects: vec![object("c")],
            next: None,
        });
        let read: serde_json::Value = serde_json::from_str(&(first + &last)).expect("it is JSON");
        assert_eq!(read.as_array().map(Vec::len), Some(3));
        assert_eq!(read[2]["key"], "c");
        let mut empty = Shown {
            json: true,
            ..Shown::default()
        };
        assert_eq!(empty.part(&Listing::default()), "[]\n");
    }
}
