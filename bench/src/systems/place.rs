//! The place of the measurements: copies of the examples whose programs are built, and a folder that is gone afterwards.

use crate::outside::run;
use crate::sweep::Sweeper;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version that is measured.
const HONCHO: &str = "honcho==2.0.0";

/// Where everything happens.
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) towpath: PathBuf,
    pub(crate) honcho: PathBuf,
    _sweeper: Sweeper,
}

impl Place {
    /// Finds, fetches and builds what is measured.
    pub(crate) fn prepare() -> Result<Place, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .unwrap_or(Path::new("."));
        let towpath = root.join("target/release/towpath");
        if !towpath.exists() {
            return Err(
                "there is no target/release/towpath\n  build it: cargo build --release -p towpath -p towpath-bench"
                    .to_owned(),
            );
        }
        let kept = root.join("target/bench");
        fs::create_dir_all(&kept).map_err(|why| format!("{}: {why}", kept.display()))?;
        let honcho = honcho(&kept)?;
        // Always the same, so that cargo finds what it has built there earlier.
        let folder = std::env::temp_dir().join("towpath-bench-systems-work");
        fs::create_dir(&folder).map_err(|why| {
            format!(
                "{}: {why}\n  where another one measures, wait for it; otherwise remove it",
                folder.display()
            )
        })?;
        let sweeper = Sweeper::over(&folder)?;
        let place = Place {
            folder,
            towpath,
            honcho,
            _sweeper: sweeper,
        };
        let target = kept.join("examples-target");
        for name in ["towpath", "honcho"] {
            let to = place.folder.join(name);
            copy(&root.join("examples"), &to)?;
            fs::create_dir_all(&target).map_err(|why| format!("{}: {why}", target.display()))?;
            symlink(&target, to.join("target")).map_err(|why| why.to_string())?;
        }
        eprintln!("building the programs of the examples\n");
        run(Command::new("cargo")
            .args(["build", "--locked", "--workspace"])
            .current_dir(place.folder.join("towpath")))?;
        Ok(place)
    }
}

/// Fetches it into a folder of its own, after saying so.
fn honcho(kept: &Path) -> Result<PathBuf, String> {
    let folder = kept.join("honcho");
    let program = folder.join("bin/honcho");
    if !program.exists() {
        eprintln!("fetching {HONCHO} from PyPI into {}\n", folder.display());
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", HONCHO]))?;
    }
    Ok(program)
}

/// Copies a folder without what was built in it or kept there.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |path: &Path, why: std::io::Error| format!("{}: {why}", path.display());
    fs::create_dir_all(to).map_err(|why| failed(to, why))?;
    for entry in fs::read_dir(from).map_err(|why| failed(from, why))?.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        if name == "target" || name == ".towpath" || name == "state" || name == ".env" {
            continue;
        }
        let to = to.join(name);
        match path.is_dir() {
            true => copy(&path, &to)?,
            // It keeps the time of its last change, so that cargo builds it once.
            false => drop(run(Command::new("cp").arg("-p").arg(&path).arg(&to))?),
        }
    }
    Ok(())
}

/// Writes a script that can be started.
pub(crate) fn script(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let file = folder.join(name);
    fs::write(&file, text).map_err(|why| format!("{}: {why}", file.display()))?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).map_err(|why| why.to_string())
}
