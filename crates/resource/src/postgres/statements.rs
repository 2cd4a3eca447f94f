//! What is said to the server in its single-user mode, a statement a line.

use super::PostgresOrder;
use crate::ResourceError;

/// The longest name that Postgres keeps.
const LONGEST: usize = 63;

/// Whether everything can be said at all: a statement is a line, and a name is not cut.
pub(super) fn check(order: &PostgresOrder) -> Result<(), ResourceError> {
    let names = [
        ("the name of the database", &order.database),
        ("the name of the user", &order.user),
    ];
    let extensions = order
        .extensions
        .iter()
        .map(|name| ("the name of an extension", name));
    for (what, value) in names.into_iter().chain(extensions) {
        let why = if value.is_empty() {
            "it is empty"
        } else if value.len() > LONGEST {
            "Postgres keeps 63 bytes of a name"
        } else if value.chars().any(char::is_control) {
            "it has a control character in it"
        } else {
            continue;
        };
        let value = value.clone();
        return Err(ResourceError::Setting { what, value, why });
    }
    let password = order.password.open();
    if password.is_empty() || password.contains(['\0', '\n', '\r']) {
        return Err(ResourceError::Setting {
            what: "the password",
            value: String::new(),
            why: "it is empty, or has a line break in it",
        });
    }
    Ok(())
}

/// Asks what of it is there.
pub(super) fn questions(order: &PostgresOrder) -> String {
    format!(
        "SELECT 1 AS {ROLE} FROM pg_catalog.pg_roles WHERE rolname = {}\n\
         SELECT 1 AS {DATABASE} FROM pg_catalog.pg_database WHERE datname = {}\n",
        text(&order.user),
        text(&order.database)
    )
}

const ROLE: &str = "role_is_there";
const DATABASE: &str = "database_is_there";

/// What of it is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct There {
    role: bool,
    database: bool,
}

impl There {
    /// By what was said to [`questions`].
    pub(super) fn by(answers: &str) -> Self {
        let is_there = |what: &str| answers.contains(&format!("{what} = \"1\""));
        There {
            role: is_there(ROLE),
            database: is_there(DATABASE),
        }
    }

    /// In a cluster that was made just now, where nobody has to be asked.
    pub(super) fn fresh(order: &PostgresOrder) -> Self {
        There {
            role: order.user == "postgres",
            database: ["postgres", "template0", "template1"].contains(&order.database.as_str()),
        }
    }
}

/// Makes the role and the database, or changes those that are there.
pub(super) fn role_and_database(order: &PostgresOrder, there: There) -> String {
    let (user, database) = (name(&order.user), name(&order.database));
    let make_role = if there.role { "ALTER" } else { "CREATE" };
    let password = text(order.password.open());
    let role = format!("{make_role} ROLE {user} LOGIN CREATEDB PASSWORD {password}\n");
    let database = if there.database {
        format!("ALTER DATABASE {database} OWNER TO {user}\n")
    } else {
        format!("CREATE DATABASE {database} OWNER {user}\n")
    };
    role + &database
}

/// Makes the extensions, in the database itself.
pub(super) fn extensions(order: &PostgresOrder) -> String {
    let make = |extension: &String| format!("CREATE EXTENSION IF NOT EXISTS {} CASCADE\n", name(extension));
    order.extensions.iter().map(make).collect()
}

/// A name, whatever stands in it.
fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text, whatever stands in it: a backslash means itself unless the text is marked.
fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::Sealed;

    fn order() -> PostgresOrder {
        PostgresOrder {
            folder: "/state/db".into(),
            port: 5432,
            database: "a\"b".to_owned(),
            user: "o'neil".to_owned(),
            password: Sealed::new("it's \\ it".to_owned()),
            extensions: vec!["pgcrypto".to_owned(), "uuid-ossp".to_owned()],
            version: None,
            memory: None,
            connections: 20,
        }
    }

    #[test]
    fn what_is_there_is_changed_and_what_is_not_is_made() {
        insta::assert_snapshot!(role_and_database(&order(), There::fresh(&order())), @r#"
        CREATE ROLE "o'neil" LOGIN CREATEDB PASSWORD 'it''s \ it'
        CREATE DATABASE "a""b" OWNER "o'neil"
        "#);
        let answers = "\t 1: role_is_there = \"1\"\t(typeid = 23, len = 4, typmod = -1, byval = t)\n";
        insta::assert_snapshot!(role_and_database(&order(), There::by(answers)), @r#"
        ALTER ROLE "o'neil" LOGIN CREATEDB PASSWORD 'it''s \ it'
        CREATE DATABASE "a""b" OWNER "o'neil"
        "#);
        insta::assert_snapshot!(extensions(&order()), @r#"
        CREATE EXTENSION IF NOT EXISTS "pgcrypto" CASCADE
        CREATE EXTENSION IF NOT EXISTS "uuid-ossp" CASCADE
        "#);
    }

    #[test]
    fn what_cannot_be_said_in_a_line_is_refused_without_showing_the_password() {
        let mut wrong = order();
        wrong.password = Sealed::new("hunter2\nDROP".to_owned());
        let told = check(&wrong).unwrap_err().to_string();
        assert!(!told.contains("hunter2"), "{told}");
        let mut wrong = order();
        wrong.database = "x".repeat(64);
        assert!(check(&wrong).unwrap_err().to_string().contains("63 bytes"));
        assert!(check(&order()).is_ok());
    }
}
