//! Packing real folders.
#![allow(clippy::disallowed_methods, reason = "what is packed are real files")]

use super::*;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use tempfile::TempDir;
use towpath_model::unit::known;

const MANIFEST: &str = r#"{"manifest_version": 3, "name": "Guard", "version": "1.2.0"}"#;

/// The files of an extension, in the order that is given.
fn extension(files: &[(&str, &str)]) -> (TempDir, Pack) {
    let folder = tempfile::tempdir().unwrap();
    let dist = folder.path().join("dist");
    for (name, text) in files {
        let path = dist.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    (
        folder,
        Pack {
            folder: dist.to_str().unwrap().to_owned(),
            policy: None,
        },
    )
}

fn packed(folder: &TempDir, dist: &Pack) -> Result<Packed, PackError> {
    pack(&known::<Name>("guard"), dist, &folder.path().join("out"))
}

#[test]
fn the_same_folder_is_packed_into_the_same_bytes() {
    let long = "x".repeat(200_000);
    let (one, first) = extension(&[
        ("manifest.json", MANIFEST),
        ("b/z.js", &long),
        ("a.js", "a"),
        ("b.js", "b"),
    ]);
    let (two, second) = extension(&[
        ("b.js", "b"),
        ("a.js", "a"),
        ("b/z.js", &long),
        ("manifest.json", MANIFEST),
    ]);
    let other = Path::new(&second.folder);
    fs::set_permissions(other.join("a.js"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::File::options()
        .write(true)
        .open(other.join("b.js"))
        .unwrap()
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    for left_out in [".DS_Store", "b/Thumbs.db", ".git/HEAD"] {
        let path = other.join(left_out);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    let (first, second) = (packed(&one, &first).unwrap(), packed(&two, &second).unwrap());
    assert_eq!(first.path, one.path().join("out/guard-1.2.0.zip"));
    assert_eq!(
        (first.files, first.size),
        (4, fs::metadata(&first.path).unwrap().len())
    );
    assert_eq!(fs::read(&first.path).unwrap(), fs::read(&second.path).unwrap());
    assert_eq!(first.digest, second.digest);
    // Another version of the compressor may pack otherwise; that has to be seen and said in the change log.
    assert_eq!(
        first.digest,
        "f1a8d2ba73040dbcf36bf10ead583c2e87cae3536ee19c65bad86f936131db70"
    );
}

#[test]
fn a_zip_holds_names_contents_and_nothing_of_this_machine() {
    let (folder, dist) = extension(&[
        ("manifest.json", MANIFEST),
        ("js/ä ö.js", "text"),
        ("js/main.js.map", "{}"),
    ]);
    symlink("js/main.js.map", Path::new(&dist.folder).join("alias.map")).unwrap();
    let packed = packed(&folder, &dist).unwrap();
    let mut zip = zip::ZipArchive::new(fs::File::open(packed.path).unwrap()).unwrap();
    let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert_eq!(
        names,
        ["alias.map", "js/main.js.map", "js/ä ö.js", "manifest.json"]
    );
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        assert_eq!(file.last_modified().unwrap(), DateTime::default());
        assert_eq!(file.unix_mode().unwrap() & 0o777, 0o644);
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert!(["{}", "text", MANIFEST].contains(&text.as_str()));
    }
    assert!(
        fs::read_dir(folder.path().join("out")).unwrap().count() == 1,
        "no half file stays"
    );
}

#[test]
fn what_cannot_be_packed_is_told_with_the_next_step() {
    let (folder, dist) = extension(&[("index.html", "")]);
    let said = |dist: &Pack| {
        packed(&folder, dist)
            .unwrap_err()
            .to_string()
            .replace(folder.path().to_str().unwrap(), "…")
    };
    assert_eq!(
        said(&dist),
        "there is no manifest.json in …/dist to pack\n\
         build the extension, or let `files` name the folder in which its manifest.json lies"
    );
    let missing = Pack {
        folder: format!("{}/web", folder.path().display()),
        policy: None,
    };
    assert_eq!(
        said(&missing),
        "there is no folder …/web to pack\n\
         build the extension, or let `files` name the folder that its build writes"
    );
    let top = Path::new(&dist.folder);
    fs::write(top.join("manifest.json"), "{\"manifest_version\": 3}").unwrap();
    assert_eq!(
        said(&dist),
        "…/dist/manifest.json has no name\nadd `\"name\"` with what people shall read"
    );
    fs::write(top.join("manifest.json"), MANIFEST).unwrap();
    symlink("../../etc/passwd", top.join("users")).unwrap();
    assert_eq!(
        said(&dist),
        "…/dist/users is a link that leads nowhere\ndelete it, or put the file in its place"
    );
    fs::remove_file(top.join("users")).unwrap();
    fs::write(folder.path().join("secret"), "").unwrap();
    symlink("../secret", top.join("users")).unwrap();
    assert_eq!(
        said(&dist),
        "…/dist/users is a link that leads out of the folder\nlet the build copy the file in its place"
    );
    assert!(!folder.path().join("out").exists());
}

#[test]
fn a_package_states_the_policy_that_the_product_says() {
    let manifest = |policy: &str| {
        format!(
            r#"{{"manifest_version": 3, "name": "Guard", "version": "1.2.0", "content_security_policy": {policy}}}"#
        )
    };
    let states = manifest(r#"{"extension_pages": "script-src 'self' 'wasm-unsafe-eval'"}"#);
    let (folder, mut pack) = extension(&[("manifest.json", &states)]);
    pack.policy = Some("script-src 'self' 'wasm-unsafe-eval';".to_owned());
    packed(&folder, &pack).unwrap();
    let other = manifest(r#"{"extension_pages": "script-src 'self' https://cdn.example.com"}"#);
    for (text, told) in [
        (&*other, "https://cdn.example.com"),
        (MANIFEST, "has no content-security policy"),
    ] {
        fs::write(Path::new(&pack.folder).join("manifest.json"), text).unwrap();
        let refused = packed(&folder, &pack).unwrap_err().to_string();
        assert!(refused.contains(told), "{refused}");
        assert!(refused.contains("wasm-unsafe-eval"), "{refused}");
    }
}
