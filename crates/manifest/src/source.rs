//! Sources: the texts that a manifest is made of, and where they come from.

/// The most bytes that one manifest may have.
///
/// A manifest of 10,000 components is about 2 MiB; four times that is no longer written by people.
pub(crate) const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A text that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name, relative to the folder of the manifest.
    pub name: String,
    /// The text.
    pub text: String,
}

/// Why a source could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// There is nothing of that name.
    Missing,
    /// It is a folder.
    Folder,
    /// The links that lead to it go in a circle.
    LinkLoop,
    /// It lies outside the folder of the product.
    Outside,
    /// It has more bytes than a manifest may have.
    TooLarge,
    /// The system refused, in its own words.
    Refused(String),
}

/// Where texts come from: the file system, or a map in a test.
pub trait Sources {
    /// The bytes of a source, by its name relative to the folder of the manifest.
    fn read(&self, name: &str, most: usize) -> Result<Vec<u8>, Unread>;

    /// The same for every name of the same source: links followed, dots resolved.
    fn identity(&self, name: &str) -> String;
}

/// Sources that are held in memory.
impl Sources for std::collections::BTreeMap<String, Vec<u8>> {
    fn read(&self, name: &str, most: usize) -> Result<Vec<u8>, Unread> {
        let bytes = self.get(name).ok_or(Unread::Missing)?;
        if bytes.len() > most {
            Err(Unread::TooLarge)
        } else {
            Ok(bytes.clone())
        }
    }

    fn identity(&self, name: &str) -> String {
        name.to_owned()
    }
}
