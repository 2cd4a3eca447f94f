//! The secrets by name: what they open, where they are kept, and when they are replaced.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::{configuration, words};
use towpath_model::desired::secret::Secret;
use towpath_model::unit::VarName;

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let mut table = Table::new([
        "Secret",
        "What it opens",
        "Kept in",
        "Comes from",
        "Replaced",
        "Environments",
        "Notes",
    ]);
    for (name, secret) in product.all(|product| &product.secret) {
        let kept = secret
            .keeper
            .map(|keeper| configuration::keeper_word(keeper).to_owned());
        let made = secret.source.as_ref().map(|source| words::text(source));
        let generated = secret
            .generate
            .map(|generator| configuration::generated(generator).to_owned());
        table.row([
            words::code(name),
            words::maybe(&secret.about),
            kept.unwrap_or_default(),
            made.or(generated).unwrap_or_default(),
            replaced(name, secret),
            environments(product, name, secret),
            notes(secret).join("; "),
        ]);
    }
    if table.is_empty() {
        return;
    }
    let keeper = product.across(|here| Some(Some(configuration::keeper(product, product.kept(here)))));
    page.paragraph(format!(
        "Values never stand in the repository, in logs or here. Each environment has its own, kept in {keeper} where \
         the table says nothing else. A new value is set with {}.",
        words::code(format!("towpath secrets set {} NAME", product.live()))
    ));
    page.table(&table);
    let escrow = product.root.secrets.escrow.as_ref();
    page.paragraph(
        escrow
            .map(|place| {
                format!(
                    "An encrypted copy for the day on which all else is lost: {}.",
                    words::text(place)
                )
            })
            .unwrap_or_default(),
    );
}

fn replaced(name: &VarName, secret: &Secret) -> String {
    let mut parts = Vec::new();
    parts.extend(secret.rotate.as_ref().map(words::schedule));
    parts.extend(secret.overlap.map(|overlap| {
        format!(
            "for {} the old value holds, too, as {}",
            words::time(overlap),
            words::code(format!("{name}_PREVIOUS"))
        )
    }));
    parts.extend(
        secret
            .rewrap
            .as_ref()
            .map(|when| format!("the keys under it are wrapped anew {}", words::schedule(when))),
    );
    parts.join("; ")
}

fn environments(product: &Product<'_>, name: &VarName, secret: &Secret) -> String {
    match secret.only.is_empty() {
        true => product.where_present(|here| here.secret.contains_key(name)),
        false => secret
            .only
            .iter()
            .map(|only| only.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn notes(secret: &Secret) -> Vec<String> {
    let mut notes = Vec::new();
    for (holds, note) in [
        (secret.hardware, "never leaves its key service"),
        (secret.shared, "the same in all environments"),
        (
            secret.session,
            "opens the only session: no two environments share it",
        ),
        (
            secret.short_lived,
            "lives for minutes, fetched for each deployment",
        ),
        (secret.future, "foreseen, not used yet"),
    ] {
        if holds {
            notes.push(note.to_owned());
        }
    }
    notes.extend(
        secret
            .escrow
            .as_ref()
            .map(|place| format!("copy in {}", words::text(place))),
    );
    notes
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn secrets_are_told_by_name() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            [secret.TOKEN]
            about = "Opens the door"
            generate = "hex"
            rotate = "quarterly"
            overlap = "1d"
            [secret.KEY]
            hardware = true
            keeper = "vault"
            only = "prod"
            [secrets]
            escrow = "team password manager"
            [environment.dev]
            secrets = "dotenv"
            [environment.prod]
        "#), @r#"
        Values never stand in the repository, in logs or here. Each environment has its own, kept in a `.env` file that git does not track (dev); Towpath's sealed store (prod) where the table says nothing else. A new value is set with `towpath secrets set prod NAME`.

        | Secret  | What it opens  | Kept in         | Comes from                          | Replaced | Environments | Notes                        |
        | ------- | -------------- | --------------- | ----------------------------------- | -------- | ------------ | ---------------------------- |
        | `TOKEN` | Opens the door |                 | made as `openssl rand -hex 32` does | on the first day of every quarter at 00:00; for 1 day the old value holds, too, as `TOKEN_PREVIOUS` | all          |                              |
        | `KEY`   |                | HashiCorp Vault |                                     |          | prod         | never leaves its key service |

        An encrypted copy for the day on which all else is lost: team password manager.
        "#);
    }
}
