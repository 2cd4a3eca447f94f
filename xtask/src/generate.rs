//! `cargo xtask generate`: the files that are written from code, so that they cannot say anything else.

use std::error::Error;

use crate::{disk, out};

/// A file that is written from code.
struct Generated {
    /// From the root of the repository.
    path: &'static str,
    /// Its whole text.
    text: fn() -> Result<String, Box<dyn Error>>,
}

/// Every generated file. To add one is to add a line here, and to run `cargo xtask generate`.
const GENERATED: &[Generated] = &[];

/// What to do about a stale file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Check,
}

/// A file whose text is not what the code says.
#[derive(Debug, PartialEq, Eq)]
struct Stale {
    path: &'static str,
    text: String,
}

/// Writes the stale files, or says which are stale; the answer is whether the repository is as it should be.
pub(crate) fn run(mode: Mode) -> Result<bool, Box<dyn Error>> {
    let root = disk::root();
    let stale = stale(GENERATED, |path| Ok(disk::read(&root.join(path))?))?;
    if mode == Mode::Write {
        for file in &stale {
            disk::write(&root.join(file.path), &file.text)?;
        }
    }
    out::line(&report(mode, GENERATED.len(), &stale));
    Ok(mode == Mode::Write || stale.is_empty())
}

/// The files whose text differs from what the code says, or that are not there.
fn stale(
    files: &[Generated],
    read: impl Fn(&str) -> Result<Option<String>, Box<dyn Error>>,
) -> Result<Vec<Stale>, Box<dyn Error>> {
    let mut stale = Vec::new();
    for file in files {
        let text = (file.text)().map_err(|error| format!("cannot generate {}: {error}", file.path))?;
        if read(file.path)?.as_deref() != Some(text.as_str()) {
            stale.push(Stale {
                path: file.path,
                text,
            });
        }
    }
    Ok(stale)
}

fn report(mode: Mode, all: usize, stale: &[Stale]) -> String {
    let list: String = stale.iter().map(|file| format!("  {}\n", file.path)).collect();
    match mode {
        _ if stale.is_empty() => format!("generate: nothing is stale among the generated files ({all})"),
        Mode::Write => format!("generate: written\n{}", list.trim_end()),
        Mode::Check => format!("generate: stale\n{list}Run `cargo xtask generate` and commit what it writes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: &[Generated] = &[
        Generated {
            path: "docs/fresh.md",
            text: || Ok("same\n".to_owned()),
        },
        Generated {
            path: "docs/old.md",
            text: || Ok("new\n".to_owned()),
        },
        Generated {
            path: "docs/missing.md",
            text: || Ok("first\n".to_owned()),
        },
    ];

    fn read(path: &str) -> Result<Option<String>, Box<dyn Error>> {
        Ok(match path {
            "docs/fresh.md" => Some("same\n".to_owned()),
            "docs/old.md" => Some("old\n".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn a_file_is_stale_when_it_differs_or_is_missing() {
        let paths: Vec<&str> = stale(FILES, read).unwrap().iter().map(|file| file.path).collect();
        assert_eq!(paths, ["docs/old.md", "docs/missing.md"]);
    }

    #[test]
    fn a_check_names_the_stale_files_and_the_command() {
        let stale = stale(FILES, read).unwrap();
        assert_eq!(
            report(Mode::Check, FILES.len(), &stale),
            "generate: stale\n  docs/old.md\n  docs/missing.md\nRun `cargo xtask generate` and commit what it writes"
        );
        assert_eq!(
            report(Mode::Check, 3, &[]),
            "generate: nothing is stale among the generated files (3)"
        );
    }

    #[test]
    fn a_text_that_cannot_be_made_names_its_file() {
        let broken = [Generated {
            path: "docs/broken.md",
            text: || Err("no template".into()),
        }];
        let error = stale(&broken, read).unwrap_err();
        assert_eq!(error.to_string(), "cannot generate docs/broken.md: no template");
    }

    #[test]
    fn no_file_is_generated_twice() {
        let paths: std::collections::BTreeSet<_> = GENERATED.iter().map(|file| file.path).collect();
        assert_eq!(paths.len(), GENERATED.len());
    }
}
