//! When a schema may move: which migrations may run at a moment, where windows say when.
//!
//! Windows protect people who are at work with the data. So they hold where the data is real, and where there is a schema
//! already: a database that has never been migrated has nobody to protect, and nothing could start before it is. Whoever
//! launches leaves them out where the data is not real.

use jiff::Timestamp;
use towpath_model::desired::resource::Phase;
use towpath_model::run::Migrate;

/// The phases that run where nobody chooses: nothing of an older release runs beside this.
const ALL: &[Phase] = &[Phase::Expand, Phase::Backfill, Phase::Contract];

/// What may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Files of these phases.
    pub phases: Vec<Phase>,
    /// The command.
    pub command: bool,
}

/// Whether any window bounds it.
pub fn is_bounded(migrate: &Migrate) -> bool {
    migrate.window.is_some() || migrate.contract.is_some()
}

/// What may run now. `is_new` is a database in which nothing has run yet.
pub fn allowed(migrate: &Migrate, is_new: bool, now: Timestamp) -> Allowed {
    let open = |window: &Option<towpath_model::unit::Window>| {
        let contains = |window: &towpath_model::unit::Window| window.contains(now, migrate.zone.name());
        is_new || window.as_ref().is_none_or(contains)
    };
    let any = open(&migrate.window);
    // Its own window stands in place of the other one.
    let contract = match &migrate.contract {
        Some(_) => open(&migrate.contract),
        None => any,
    };
    let had = if migrate.phases.is_empty() {
        ALL
    } else {
        migrate.phases.as_slice()
    };
    let may = |phase: &Phase| if *phase == Phase::Contract { contract } else { any };
    Allowed {
        phases: had.iter().copied().filter(may).collect(),
        command: any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::unit::known;

    fn migrate(window: Option<&str>, contract: Option<&str>) -> Migrate {
        Migrate {
            folder: None,
            command: None,
            dir: String::new(),
            phases: Vec::new(),
            lock: known("5s"),
            window: window.map(known),
            contract: contract.map(known),
            zone: known("Europe/Berlin"),
        }
    }

    fn may(migrate: &Migrate, is_new: bool, now: &str) -> (usize, bool) {
        let allowed = allowed(migrate, is_new, now.parse().unwrap());
        (allowed.phases.len(), allowed.command)
    }

    #[test]
    fn without_windows_everything_runs() {
        assert!(!is_bounded(&migrate(None, None)));
        assert_eq!(
            may(&migrate(None, None), false, "2026-03-01T12:00:00Z"),
            (3, true)
        );
    }

    #[test]
    fn a_window_holds_on_the_clocks_of_the_product() {
        let nightly = migrate(Some("daily 02:00-04:00"), None);
        assert_eq!(
            may(&nightly, false, "2026-03-01T02:30:00Z"),
            (3, true),
            "03:30 in Berlin"
        );
        assert_eq!(
            may(&nightly, false, "2026-03-01T03:30:00Z"),
            (0, false),
            "04:30 in Berlin"
        );
    }

    #[test]
    fn what_takes_away_waits_for_its_own_window() {
        let sundays = migrate(None, Some("sun 02:00-04:00"));
        // 1 March 2026 is a Sunday.
        assert_eq!(may(&sundays, false, "2026-03-01T02:30:00Z"), (3, true));
        assert_eq!(may(&sundays, false, "2026-03-02T02:30:00Z"), (2, true));
        let both = migrate(Some("mon 02:00-04:00"), Some("sun 02:00-04:00"));
        assert_eq!(may(&both, false, "2026-03-01T02:30:00Z"), (1, false));
    }

    #[test]
    fn a_database_in_which_nothing_ran_waits_for_nothing() {
        let nightly = migrate(Some("daily 02:00-04:00"), Some("sun 02:00-04:00"));
        assert_eq!(may(&nightly, true, "2026-03-02T12:00:00Z"), (3, true));
    }

    #[test]
    fn phases_that_are_not_had_do_not_run_in_any_window() {
        let some = Migrate {
            phases: vec![Phase::Expand],
            ..migrate(None, None)
        };
        assert_eq!(may(&some, true, "2026-03-02T12:00:00Z"), (1, true));
    }
}
