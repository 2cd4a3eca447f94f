//! `requirements.txt` and `pyproject.toml`: web frameworks, workers and bots by what is installed.

use super::cargo::resource_variable;
use super::found::{Found, Part};
use super::text::{health_in, slug};
use super::view::{View, file_name, join};
use std::collections::BTreeSet;
use toml::{Table, Value};
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::resource::ResourceKind;

const TALKS: &[&str] = &[
    "discord-py",
    "py-cord",
    "nextcord",
    "disnake",
    "python-telegram-bot",
    "aiogram",
    "slack-bolt",
];

struct Project<'a> {
    folder: &'a str,
    file: String,
    needs: BTreeSet<String>,
    install: String,
    /// What stands in front of a command: `uv run`.
    inside: &'static str,
}

pub(super) fn find(view: &View, found: &mut Found) {
    let mut seen = BTreeSet::new();
    for file in ["pyproject.toml", "requirements.txt", "Pipfile"] {
        for (folder, text) in view.called(file) {
            let name = join(folder, file);
            let needs = match needs(file, text) {
                Ok(needs) => needs,
                Err(why) => {
                    found.broken.push(format!("{name} is not valid TOML: {why}"));
                    continue;
                }
            };
            if needs.is_empty() || !seen.insert(folder.to_owned()) {
                continue;
            }
            let (install, inside) = tool(view, folder, file);
            let project = Project {
                folder,
                file: name,
                needs,
                install,
                inside,
            };
            components(view, found, &project);
        }
    }
}

/// The names of what a project needs, as the package index writes them.
fn needs(file: &str, text: &str) -> Result<BTreeSet<String>, String> {
    if file == "requirements.txt" {
        return Ok(text.lines().filter_map(required).collect());
    }
    let table: Table = text
        .parse()
        .map_err(|error: toml::de::Error| error.message().to_owned())?;
    let mut needs = BTreeSet::new();
    let listed = table
        .get("project")
        .and_then(|project| project.get("dependencies")?.as_array());
    needs.extend(
        listed
            .into_iter()
            .flatten()
            .filter_map(|one| required(one.as_str()?)),
    );
    let poetry = table
        .get("tool")
        .and_then(|tool| tool.get("poetry")?.get("dependencies")?.as_table());
    let piped = table.get("packages").and_then(Value::as_table);
    for name in [poetry, piped].into_iter().flatten().flat_map(Table::keys) {
        needs.extend(required(name));
    }
    Ok(needs)
}

/// `uvicorn[standard]==0.30 ; python_version > "3.8"` needs `uvicorn`.
fn required(line: &str) -> Option<String> {
    let line = line.trim();
    let end = line.find(|letter: char| !letter.is_ascii_alphanumeric() && !"-_.".contains(letter));
    let name = &line[..end.unwrap_or(line.len())];
    (name.starts_with(|letter: char| letter.is_ascii_alphanumeric()))
        .then(|| name.to_ascii_lowercase().replace(['_', '.'], "-"))
}

fn tool(view: &View, folder: &str, file: &str) -> (String, &'static str) {
    if view.has(folder, "uv.lock") {
        ("uv sync --frozen".to_owned(), "uv run ")
    } else if view.has(folder, "poetry.lock") {
        ("poetry install --only main".to_owned(), "poetry run ")
    } else if file == "Pipfile" {
        ("pipenv install --deploy".to_owned(), "pipenv run ")
    } else if file == "requirements.txt" {
        ("pip install -r requirements.txt".to_owned(), "")
    } else {
        ("pip install .".to_owned(), "")
    }
}

impl Project<'_> {
    fn uses(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.needs.contains(*name))
    }

    fn part(&self, kind: ComponentKind, name: &str, run: String) -> Part {
        let mut part = Part::new(kind, name, self.folder, &self.file);
        part.build = Some(self.install.clone());
        part.run = Some(format!("{}{run}", self.inside));
        part
    }
}

fn components(view: &View, found: &mut Found, project: &Project<'_>) {
    let own = if project.folder.is_empty() {
        None
    } else {
        slug(file_name(project.folder))
    };
    let named = |usual: &str| own.clone().unwrap_or_else(|| usual.to_owned());
    let django = view
        .below(project.folder)
        .find_map(|file| file.strip_suffix("/wsgi.py"))
        .map(|folder| folder.replace('/', "."));
    let mut parts = Vec::new();
    if project.uses(&["django"]) {
        parts.push(django_web(project, named("web"), django.as_deref()));
        if found.migrate.is_none() {
            found.migrate = Some((
                format!("{}python manage.py migrate", project.inside),
                project.file.clone(),
            ));
        }
    } else if project.uses(&["fastapi", "starlette", "litestar", "quart"]) {
        parts.push(asgi(view, project, named("api")));
    } else if project.uses(&["flask"]) {
        parts.push(flask(view, project, named("web")));
    }
    if project.uses(&["celery"]) {
        let app = django.or_else(|| {
            module(
                view,
                project.folder,
                &[
                    "celery_app.py",
                    "tasks.py",
                    "worker.py",
                    "app/celery_app.py",
                    "app/tasks.py",
                    "app/worker.py",
                    "celery.py",
                ],
            )
        });
        let app = app.unwrap_or_else(|| "tasks".to_owned());
        parts.push(project.part(ComponentKind::Worker, "worker", format!("celery -A {app} worker")));
    }
    if project.uses(TALKS) {
        let file = ["bot.py", "main.py"]
            .into_iter()
            .find(|file| view.has(project.folder, file))
            .unwrap_or("bot.py");
        parts.push(project.part(ComponentKind::Bot, &named("bot"), format!("python {file}")));
    }
    for mut part in parts {
        stores(found, project, &mut part);
        found.add(part);
    }
}

fn stores(found: &mut Found, project: &Project<'_>, part: &mut Part) {
    for (packages, kind) in [
        (
            &["psycopg", "psycopg2", "psycopg2-binary", "asyncpg", "pg8000"][..],
            ResourceKind::Postgres,
        ),
        (&["redis", "rq", "arq", "django-redis"][..], ResourceKind::Redis),
    ] {
        if project.uses(packages) {
            part.need(&found.store(kind, &project.file), Some(resource_variable(kind)));
        }
    }
}

fn django_web(project: &Project<'_>, name: String, site: Option<&str>) -> Part {
    let run = match site {
        Some(site) if project.uses(&["gunicorn"]) => format!("gunicorn {site}.wsgi --bind 0.0.0.0:$PORT"),
        _ => "python manage.py runserver 0.0.0.0:$PORT".to_owned(),
    };
    let mut part = project.part(ComponentKind::Service, &name, run);
    part.public = true;
    if !project.uses(&["gunicorn"]) {
        part.remarks
            .push("`manage.py runserver` is for development: add gunicorn, and start that".to_owned());
    }
    part
}

fn asgi(view: &View, project: &Project<'_>, name: String) -> Part {
    let files = [
        "main.py",
        "app/main.py",
        "src/main.py",
        "app.py",
        "server.py",
        "api/main.py",
    ];
    let (module, text) = files
        .iter()
        .find_map(|file| {
            let text = view.text(project.folder, file)?;
            (text.contains("FastAPI(")
                || text.contains("Starlette(")
                || text.contains("Litestar(")
                || text.contains("Quart("))
            .then(|| (dotted(file), text))
        })
        .unwrap_or_else(|| {
            (
                module(view, project.folder, &files).unwrap_or_else(|| "main".to_owned()),
                "",
            )
        });
    let app = text
        .lines()
        .find_map(|line| {
            let (name, rest) = line.split_once('=')?;
            let name = name.split(':').next()?.trim();
            let fine = name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
                && !name.is_empty();
            let rest = rest.trim_start();
            (fine
                && ["FastAPI(", "Starlette(", "Litestar(", "Quart("]
                    .iter()
                    .any(|call| rest.starts_with(call)))
            .then(|| name.to_owned())
        })
        .unwrap_or_else(|| "app".to_owned());
    let run = format!("uvicorn {module}:{app} --host 0.0.0.0 --port $PORT");
    let mut part = project.part(ComponentKind::Service, &name, run);
    part.public = true;
    part.health = health_in(text);
    part.websocket = text.contains(".websocket(");
    part
}

fn flask(view: &View, project: &Project<'_>, name: String) -> Part {
    let module = module(
        view,
        project.folder,
        &["app.py", "main.py", "wsgi.py", "server.py", "app/__init__.py"],
    )
    .unwrap_or_else(|| "app".to_owned());
    let run = if project.uses(&["gunicorn"]) {
        format!("gunicorn {module}:app --bind 0.0.0.0:$PORT")
    } else {
        format!("flask --app {module} run --host 0.0.0.0 --port $PORT")
    };
    let mut part = project.part(ComponentKind::Service, &name, run);
    part.public = true;
    part.health = view.text(project.folder, "app.py").and_then(health_in);
    if !project.uses(&["gunicorn"]) {
        part.remarks
            .push("`flask run` is for development: add gunicorn, and start that".to_owned());
    }
    part
}

/// The first of these files that is there, as a module.
fn module(view: &View, folder: &str, files: &[&str]) -> Option<String> {
    files
        .iter()
        .find(|file| view.has(folder, file))
        .map(|file| dotted(file))
}

fn dotted(file: &str) -> String {
    let stem = file.trim_end_matches(".py");
    let stem = stem.strip_suffix("/__init__").unwrap_or(stem);
    stem.replace('/', ".")
}
