//! Which environment is meant when nobody says.

use super::Problem;
use towpath_model::Desired;
use towpath_model::finding::listed;
use towpath_model::unit::Name;

/// The names that an environment on somebody's own machine goes by. Where both are written, `dev` is one that all share.
const USUAL: [&str; 2] = ["local", "dev"];

/// Whether an environment is one of somebody's own machine, by its name.
pub fn is_own_machine(environment: &Name) -> bool {
    USUAL.contains(&environment.as_str())
}

/// Whether nobody but who types comes by in an environment. Where both usual names are written, `dev` is one that all share.
pub(super) fn is_alone(root: &Desired, environment: &Name) -> bool {
    is_own_machine(environment) && usual_environment(root).is_ok_and(|usual| usual == *environment)
}

/// The environment that is meant when nobody names one: `local`, else `dev`, else the only one.
pub fn usual_environment(root: &Desired) -> Result<Name, Problem> {
    let known = USUAL
        .iter()
        .find_map(|usual| root.environment.get_key_value(*usual));
    let mut names = root.environment.keys();
    match (known, names.next(), names.next()) {
        (Some((name, _)), ..) => Ok(name.clone()),
        (None, Some(only), None) => Ok(only.clone()),
        (None, None, _) => Err(Problem::new(
            "this product has no environment to run in",
            "add one to the manifest: a line [environment.dev] is enough",
        )),
        (None, Some(_), Some(_)) => {
            let all = listed(root.environment.keys(), "and");
            Err(Problem::new(
                format!("none of the environments {all} is the usual one"),
                "name one with `--env NAME`; where it is called `dev`, it is meant when none is named",
            ))
        }
    }
}
