//! Who may see what nobody has said it of.
//!
//! **Previews** show to everybody who guesses an address what is not finished, and what a pull request has in it. So who
//! may see one is asked for a password, made up for it, where nobody says who may; `protected = false` opens it. A
//! **dashboard**, which is for the team, asks for one in every environment. On somebody's own machine nobody else comes by.

use super::super::Problem;
use super::super::draft::Draft;
use super::super::usual::is_alone;
use super::super::variables::given_or_made;
use super::access;
use towpath_model::desired::component::Component;
use towpath_model::desired::edge::SignIn;
use towpath_model::desired::secret::Generator;
use towpath_model::run::Access;
use towpath_model::spec::Path;
use towpath_model::unit::Name;

/// The value that visitors of a preview are asked for.
const PREVIEW_PASSWORD: &str = "PREVIEW_PASSWORD";

/// The value that visitors of what is for the team are asked for.
const DASHBOARD_PASSWORD: &str = "DASHBOARD_PASSWORD";

/// The sign-in that follows from where a component runs, and from whom it is for.
pub(super) fn usual(
    draft: &mut Draft<'_>,
    component: &Component,
    (name, at): (&Name, &Path),
) -> Option<Access> {
    let environment = Path::of(["environment", draft.environment.as_str()]);
    let own = draft.own;
    if let Some(said) = own.and_then(|own| own.access.as_ref()) {
        let here = component.public.then_some(said)?;
        return access(draft, here, &environment.key("access"), name);
    }
    if is_alone(draft.product, draft.environment) {
        return None;
    }
    let here = draft.environment;
    let preview = own.and_then(|own| own.preview.as_ref());
    if preview.is_some_and(|preview| preview.protected) {
        let asked = Asked {
            secret: PREVIEW_PASSWORD,
            what: format!("`{here}` is a preview"),
            at: environment.key("preview"),
            hint: format!(
                "write `access` in [environment.{here}] to say who may see it, or `protected = false` in `preview`"
            ),
        };
        return component.public.then(|| asked.of(draft));
    }
    let asked = Asked {
        secret: DASHBOARD_PASSWORD,
        what: format!("`{name}` is for the team"),
        at: at.key("dashboard"),
        hint: "write `access` to say who may see it, or `dashboard = false`".to_owned(),
    };
    component.dashboard.then(|| asked.of(draft))
}

/// A password that nobody has written about, and why visitors are asked for it.
struct Asked {
    secret: &'static str,
    what: String,
    at: Path,
    hint: String,
}

impl Asked {
    /// The sign-in with it. Whoever starts the product learns where it is kept.
    fn of(self, draft: &mut Draft<'_>) -> Access {
        let Asked {
            secret,
            what,
            at,
            hint,
        } = self;
        draft.secrets.insert(secret.to_owned());
        let kept = match draft.written(secret) {
            Some(_) => ".env".to_owned(),
            None => format!(".towpath/{}/generated.env", draft.environment),
        };
        given_or_made(draft, secret, Generator::Token);
        let message = format!("{what}: visitors are asked for a password, which is {secret} in {kept}");
        let hint = format!("any name goes with it; {hint}");
        let note = Problem::new(message, hint).at(draft.place(&at));
        if !draft.notes.contains(&note) {
            draft.notes.push(note);
        }
        Access {
            secret: Some(secret.to_owned()),
            ..Access::by(SignIn::Password)
        }
    }
}
