//! What is not well after all that could be done: each component, why, what it said last, and what to do next.

use super::{paint, tame};
use std::fmt::Write;
use towpath_api::Component;

/// The most components that are told at length; whatever ails the others is most often the same.
pub(crate) const MOST: usize = 5;

/// The most lines of each.
pub(crate) const LINES: usize = 10;

/// A component that is not well, with what it, or its build, said last.
pub(crate) struct Ailing<'a> {
    pub(crate) component: &'a Component,
    pub(crate) said: Vec<String>,
}

/// All of them, and how many more there are.
pub(crate) fn failures(ailing: &[Ailing<'_>], more: usize) -> String {
    let mut text = String::new();
    for Ailing { component, said } in ailing {
        let name = &component.name;
        let state = paint::state(component.state);
        let _ = writeln!(
            text,
            "\n{} {state}: {}",
            paint::bold(name),
            tame::plain(&component.because)
        );
        for line in said.iter().skip(said.len().saturating_sub(LINES)) {
            let _ = writeln!(text, "    | {}", tame::tamed(line));
        }
        let _ = writeln!(text, "  next: `towpath logs {name}`, `towpath explain {name}`");
    }
    if more > 0 {
        let _ = writeln!(text, "\nand {more} more not well; `towpath status` tells which");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::status::tests::{component, shown};
    use super::*;
    use towpath_model::run::{Kind, State};

    #[test]
    fn a_failure_is_told_with_the_last_that_was_said() {
        let mut api = component("api", Kind::Service, State::Failed);
        api.because = "its build failed: ended with code 101".to_owned();
        let said: Vec<String> = (1..=12).map(|number| format!("line {number}")).collect();
        let ailing = [Ailing {
            component: &api,
            said,
        }];
        insta::assert_snapshot!(shown(&failures(&ailing, 3)), @r"

        api failed: its build failed: ended with code 101
            | line 3
            | line 4
            | line 5
            | line 6
            | line 7
            | line 8
            | line 9
            | line 10
            | line 11
            | line 12
          next: `towpath logs api`, `towpath explain api`

        and 3 more not well; `towpath status` tells which
        ");
    }
}
