//! Finds the file that answers a path.

use http::StatusCode;
use std::path::Path;

use super::Asked;
use super::path::has_digest;
use super::shelf::{Eyes, Filed, There};

const INDEX: &str = "index.html";
const NOT_FOUND: &str = "404.html";

/// What a path leads to.
pub(super) enum Found {
    File {
        file: Filed,
        status: StatusCode,
    },
    /// A folder, asked for without its slash.
    Folder,
    Nothing,
}

pub(super) fn find(asked: &Asked<'_>, eyes: &Eyes<'_>) -> Found {
    let path = &asked.path;
    match eyes.look(&path.relative) {
        There::File(file) if !path.is_folder => {
            return Found::File {
                file,
                status: StatusCode::OK,
            };
        }
        There::Folder => {
            let index = eyes.look(&path.relative.join(INDEX));
            if let There::File(file) = index {
                return if path.is_folder {
                    Found::File {
                        file,
                        status: StatusCode::OK,
                    }
                } else {
                    Found::Folder
                };
            }
        }
        There::File(_) | There::Nothing => {}
    }
    // A page that was loaded before the newest build asks for what that has not any more. Its name says what was in it.
    let name = path.relative.file_name().and_then(|name| name.to_str());
    if !asked.site.former.is_empty() && !path.is_folder && name.is_some_and(has_digest) {
        let mut former = asked.site.former.iter();
        let found = former.find_map(|folder| match eyes.look_in(folder, &path.relative) {
            There::File(file) => Some(file),
            _ => None,
        });
        if let Some(file) = found {
            return Found::File {
                file,
                status: StatusCode::OK,
            };
        }
    }
    // A page of an application has no extension; a missing picture is missing.
    let fallback = asked.site.fallback.filter(|_| !path.has_extension);
    for (name, status) in [
        (fallback, StatusCode::OK),
        (Some(NOT_FOUND), StatusCode::NOT_FOUND),
    ] {
        if let Some(name) = name
            && let There::File(file) = eyes.look(Path::new(name.trim_start_matches('/')))
        {
            return Found::File { file, status };
        }
    }
    Found::Nothing
}
