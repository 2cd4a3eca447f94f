//! Who is who: people of the manifest have addresses, and say who they are by an address or a name.

use towpath_model::unit::Email;

/// The one of these people who goes by this: by the whole address, or by the name that stands before its `@`. Letters are the
/// same in any size.
pub(super) fn person<'p>(by: &str, people: &'p [Email]) -> Option<&'p Email> {
    let by = by.trim();
    let is = |address: &str| address.eq_ignore_ascii_case(by);
    let named = |one: &Email| one.as_str().split('@').next().is_some_and(is);
    let mut all = people.iter();
    let whole = all.find(|one| is(one.as_str()));
    whole.or_else(|| people.iter().find(|one| named(one)))
}

/// People in a sentence, one of whom is enough.
pub(super) fn either(people: &[&Email]) -> String {
    let names: Vec<&str> = people.iter().map(|one| one.as_str()).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}
