//! The doors of the process engine: its nursery, the state folder, the files of logs, the clock.

mod files;
mod system;

pub(super) use files::{LogFile, has_instance, instances, logs_of, names_of_logs, prepared, remove_log};
pub(super) use system::{Before, awaited, beside, made_fit, now, start_nursery, wait_a_moment};
