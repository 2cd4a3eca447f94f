//! Reading XML piece by piece: elements with their attributes and text, and nothing that XML can do beside.
//!
//! There are no entities but the five that everybody knows and those of letters: a document type is refused, so that none can
//! be declared. Nothing is kept of what has been read.

use super::DEEPEST;
use super::outcome::Fault;
use super::text::{WHOLE, place, text};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Error, Reader, XmlVersion};

/// No element of a report has so many attributes.
const ATTRIBUTES: usize = 64;

/// A piece of a document.
#[derive(Debug)]
pub(super) enum Piece {
    /// An element begins. What is empty ends with the next piece.
    Begin(Element),
    /// The element that began last and has not ended ends.
    End,
    /// Text in an element.
    Text(String),
}

/// An element with its attributes.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Its name, without the prefix of a namespace.
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    /// Where it begins, in bytes.
    pub(super) at: usize,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let mut all = self.attributes.iter();
        all.find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// A document that is read from its beginning to its end.
pub(super) struct Document<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    open: usize,
    /// The root has ended.
    is_over: bool,
    /// An element was empty, and ends next.
    ends: bool,
}

impl<'a> Document<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Fault> {
        let text = text(bytes)?;
        if text.trim_start().starts_with(['{', '[']) {
            let fault = Fault::new("is JSON and no XML", "name the report that is XML");
            return Err(fault.at(place(text.as_bytes(), 0)));
        }
        Ok(Document {
            text,
            reader: Reader::from_str(text),
            open: 0,
            is_over: false,
            ends: false,
        })
    }

    /// A place in it.
    pub(super) fn place(&self, at: usize) -> String {
        place(self.text.as_bytes(), at)
    }

    fn here(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    fn fault(&self, at: usize, what: impl Into<String>, next: &str) -> Fault {
        Fault::new(what, next).at(self.place(at))
    }

    /// The next piece; nothing behind the end of the root.
    pub(super) fn next(&mut self) -> Result<Option<Piece>, Fault> {
        if std::mem::take(&mut self.ends) {
            self.close();
            return Ok(Some(Piece::End));
        }
        loop {
            let at = self.here();
            let event = self.reader.read_event().map_err(|error| self.unread(&error))?;
            match event {
                Event::Start(start) => return self.begin(&start, at).map(Some),
                Event::Empty(start) => {
                    self.ends = true;
                    return self.begin(&start, at).map(Some);
                }
                Event::End(_) => {
                    self.close();
                    return Ok(Some(Piece::End));
                }
                Event::Text(text) => {
                    let text = text.decode().unwrap_or_default().into_owned();
                    if self.open > 0 {
                        return Ok(Some(Piece::Text(text)));
                    }
                    if !text.trim().is_empty() {
                        return Err(self.fault(
                            at,
                            "has text outside of its root",
                            "look what has written it",
                        ));
                    }
                }
                Event::CData(raw) if self.open > 0 => {
                    return Ok(Some(Piece::Text(raw.decode().unwrap_or_default().into_owned())));
                }
                Event::CData(_) => {
                    return Err(self.fault(at, "has text outside of its root", "look what has written it"));
                }
                Event::GeneralRef(named) => {
                    return self.letter(&named, at).map(|text| Some(Piece::Text(text)));
                }
                Event::DocType(_) => {
                    let what = "declares a document type, which no report needs and which is not read";
                    return Err(self.fault(at, what, "have it written without"));
                }
                Event::Decl(declared) => {
                    let encoding = declared.encoding().and_then(Result::ok);
                    let encoding = encoding.map(|name| String::from_utf8_lossy(&name).to_ascii_lowercase());
                    if let Some(other) = encoding
                        .filter(|name| !["utf-8", "utf8", "us-ascii", "ascii"].contains(&name.as_str()))
                    {
                        return Err(self.fault(
                            at,
                            format!("says that it is {other}"),
                            "have it written as UTF-8",
                        ));
                    }
                }
                Event::Comment(_) | Event::PI(_) => {}
                Event::Eof if self.open > 0 => {
                    let what = format!("breaks off with {} of its elements open", self.open);
                    return Err(self.fault(self.text.len(), what, WHOLE));
                }
                Event::Eof if !self.is_over => {
                    return Err(self.fault(at, "is no XML", "name the report that is XML"));
                }
                Event::Eof => return Ok(None),
            }
        }
    }

    fn close(&mut self) {
        self.open = self.open.saturating_sub(1);
        self.is_over |= self.open == 0;
    }

    fn begin(&mut self, start: &BytesStart<'_>, at: usize) -> Result<Piece, Fault> {
        if self.open == 0 && self.is_over {
            return Err(self.fault(at, "has a second root", "look what has written it"));
        }
        if self.open == DEEPEST {
            let what = "is nested more deeply than any report is";
            return Err(self.fault(at, what, "look what has written it"));
        }
        self.open += 1;
        let mut attributes = Vec::new();
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| {
                self.fault(
                    at,
                    format!("has a broken attribute: {error}"),
                    "look what has written it",
                )
            })?;
            if attributes.len() == ATTRIBUTES {
                let what = format!("has an element with more than {ATTRIBUTES} attributes");
                return Err(self.fault(at, what, "look what has written it"));
            }
            let name = String::from_utf8_lossy(attribute.key.local_name().as_ref()).into_owned();
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| {
                    self.fault(
                        at,
                        format!("has a broken attribute: {error}"),
                        "look what has written it",
                    )
                })?;
            attributes.push((name, value.into_owned()));
        }
        Ok(Piece::Begin(Element {
            name: String::from_utf8_lossy(start.local_name().as_ref()).into_owned(),
            attributes,
            at,
        }))
    }

    /// What a reference in a text stands for.
    fn letter(&self, named: &BytesRef<'_>, at: usize) -> Result<String, Fault> {
        let name = named.decode().unwrap_or_default();
        if let Ok(Some(letter)) = named.resolve_char_ref() {
            return Ok(letter.to_string());
        }
        resolve_predefined_entity(&name)
            .map(str::to_owned)
            .ok_or_else(|| {
                self.fault(
                    at,
                    format!("names an entity that nobody knows: `&{name};`"),
                    "look what has written it",
                )
            })
    }

    fn unread(&self, error: &Error) -> Fault {
        let at = usize::try_from(self.reader.error_position()).unwrap_or(usize::MAX);
        match error {
            Error::Syntax(_) => self.fault(at, "breaks off", WHOLE),
            other => self.fault(at, format!("is no XML: {other}"), "look what has written it"),
        }
    }
}
