//! The place of the measurements: a folder of its own, and the programs that are measured.

use crate::outside::run;
use crate::sweep::Sweeper;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where everything happens.
pub(crate) struct Place {
    /// A folder that is gone afterwards.
    pub(crate) folder: PathBuf,
    /// What is kept between two runs: what had to be built or fetched.
    pub(crate) kept: PathBuf,
    /// The program under load.
    pub(crate) tiny: PathBuf,
    /// Ourselves; none where only the others are measured.
    pub(crate) towpath: Option<PathBuf>,
    /// How often `cycles` goes forward and back.
    pub(crate) cycles: usize,
    _sweeper: Option<Sweeper>,
}

impl Place {
    /// Finds and builds what is measured.
    pub(crate) fn prepare(peers_only: bool, cycles: usize) -> Result<Place, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .unwrap_or(Path::new("."));
        let towpath = root.join("target/release/towpath");
        if !peers_only && !towpath.exists() {
            return Err(
                "there is no target/release/towpath\n  build it: cargo build --release -p towpath -p towpath-bench"
                    .to_owned(),
            );
        }
        let kept = root.join("target/bench");
        let folder = std::env::temp_dir().join(format!("towpath-bench-{}-work", std::process::id()));
        for made in [&kept, &folder] {
            fs::create_dir_all(made).map_err(|why| format!("{}: {why}", made.display()))?;
        }
        let sweeper = Sweeper::over(&folder)?;
        Ok(Place {
            tiny: build_tiny(root, &folder)?,
            towpath: (!peers_only).then_some(towpath),
            cycles,
            folder,
            kept,
            _sweeper: Some(sweeper),
        })
    }

    /// The same with another program under load: a script that is given its port.
    pub(crate) fn with_script(&self, name: &str, text: &str) -> Result<Place, String> {
        let folder = self.product(name)?;
        write(&folder, "script", text)?;
        let script = folder.join("script");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).map_err(|why| why.to_string())?;
        Ok(Place {
            tiny: script,
            folder,
            kept: self.kept.clone(),
            towpath: self.towpath.clone(),
            cycles: self.cycles,
            _sweeper: None,
        })
    }

    /// A folder for one product.
    pub(crate) fn product(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        Ok(folder)
    }

    /// What all of it ran on.
    pub(crate) fn machine(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let free = crate::outside::free_memory();
        format!(
            "{cores} cores, {free} MiB of memory free, Linux {}. In milliseconds unless it says otherwise.",
            kernel.trim()
        )
    }
}

/// Builds the load without a loader, so that it starts as fast as a program can, in a container of nothing, too.
fn build_tiny(root: &Path, folder: &Path) -> Result<PathBuf, String> {
    let tiny = folder.join("tiny");
    run(Command::new("rustc")
        .args(["--edition=2024", "-O", "-Cpanic=abort", "-Cstrip=symbols"])
        .args(["-Ctarget-feature=+crt-static", "-o"])
        .arg(&tiny)
        .arg(root.join("bench/src/load/tiny.rs")))?;
    Ok(tiny)
}

/// Writes a file of a product.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let file = folder.join(name);
    fs::write(&file, text).map_err(|why| format!("{}: {why}", file.display()))
}
