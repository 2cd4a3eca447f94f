//! Certificates that components show each other: who gets one, and who may call whom.
//!
//! **Who may call.** Whoever says so in `uses`: what a component is told the address of, it may call, and nobody else may. That
//! holds for calls of components among themselves. Visitors come by the edge, and have rules of their own.
//!
//! **What stays as it is.** The last step, from the edge to an instance on the same machine, is plain; so are databases and
//! caches, which have passwords. Both are said where a person looks who wants calls to be encrypted.

use super::Problem;
use super::draft::Draft;
use towpath_model::Desired;
use towpath_model::run::{Credentials, Mutual};
use towpath_model::spec::Path;
use towpath_model::unit::Name;

/// What every component that runs gets, where components show each other certificates.
pub(super) fn credentials(product: &Desired) -> Option<Credentials> {
    let lasts = product.edge.certificates;
    product.edge.mtls.then_some(Credentials { lasts })
}

/// Who of the components may call one.
pub(super) fn mutual(product: &Desired, called: &Name) -> Option<Mutual> {
    if !product.edge.mtls {
        return None;
    }
    let calls = product.components().filter(|(kind, _, component)| {
        kind.runs()
            && component
                .uses
                .iter()
                .any(|used| used.name.as_str() == called.as_str())
    });
    Some(Mutual {
        callers: calls.map(|(_, name, _)| name.clone()).collect(),
    })
}

/// What a person should know who wants certificates to be shown.
pub(super) fn notes(draft: &mut Draft<'_>) {
    if !draft.product.edge.mtls {
        return;
    }
    note(
        draft,
        "mtls",
        "components show certificates to the edge, which speaks plain HTTP to instances on this machine",
        "write trust = \"hmac\" and a `secret` where an instance itself has to know that a call has come by the edge",
    );
    if draft.product.edge.authority.is_some() {
        note(
            draft,
            "authority",
            "this version asks no other host to sign certificates: the product's own authority signs them here",
            "leave it where it is if another machine serves this manifest, or take it out",
        );
    }
}

fn note(draft: &mut Draft<'_>, word: &str, message: &str, hint: &str) {
    let at = Path::of(["edge", word]);
    let note = Problem::new(message, hint).at(draft.place(&at));
    draft.notes.push(note);
}
