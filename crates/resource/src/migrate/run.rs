//! Running what was decided, a file at a time.

use super::decide::{Next, Plan, Waiting, decide};
use super::file::Migration;
use super::history::{self, History, Line};
use super::split::Statement;
use super::{Bounds, Command, Tell};
use crate::ResourceError;
use crate::door::{clock, commands};
use crate::error::Stays;
use sqlx::postgres::{PgDatabaseError, PgErrorPosition};
use std::collections::BTreeSet;
use towpath_model::Sealed;
use towpath_model::desired::resource::Phase;

/// What the lines of migrations are called in the table.
const KIND: &str = "migration";
/// And those of commands.
const COMMAND: &str = "command";

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The files that ran, in order.
    pub ran: Vec<String>,
    /// What may not run yet.
    pub waiting: Vec<Waiting>,
    /// What ran here once and is no file any more.
    pub missing: Vec<String>,
}

/// What would run. Nothing is changed, not even the table is made.
pub async fn dry(
    address: &Sealed<String>,
    files: &[Migration],
    allowed: &[Phase],
    bounds: Bounds,
) -> Result<Plan, ResourceError> {
    let mut history = History::open(address, bounds).await?;
    let ran = history.ran(KIND).await?;
    history.close().await;
    decide(files, &ran, allowed)
}

/// Whether nothing has run in a database yet.
pub async fn is_new(address: &Sealed<String>, bounds: Bounds) -> Result<bool, ResourceError> {
    let mut history = History::open(address, bounds).await?;
    let ran = history.ran(KIND).await?.len() + history.ran(COMMAND).await?.len();
    history.close().await;
    Ok(ran == 0)
}

/// The files that have run, all of each.
pub async fn ran(address: &Sealed<String>, bounds: Bounds) -> Result<BTreeSet<String>, ResourceError> {
    let mut history = History::open(address, bounds).await?;
    let ran = history.ran(KIND).await?;
    history.close().await;
    let whole = ran.into_iter().filter(|one| one.unfinished.is_none());
    Ok(whole.map(|one| one.name).collect())
}

/// Runs what has not run yet and may run now.
pub async fn run(
    address: &Sealed<String>,
    files: &[Migration],
    allowed: &[Phase],
    bounds: Bounds,
    tell: Tell<'_>,
) -> Result<Report, ResourceError> {
    let mut history = History::locked(address, bounds).await?;
    let ran = history.ran(KIND).await?;
    let plan = decide(files, &ran, allowed)?;
    for name in &plan.missing {
        tell(&format!("{name} ran here and is no file any more"));
    }
    for next in &plan.run {
        let name = &next.migration.name;
        let late = if next.late {
            ", after one of a later number"
        } else {
            ""
        };
        let again = match next.done {
            0 => String::new(),
            done => format!(", which was interrupted, behind statement {done}"),
        };
        tell(&format!("{} {name}{again}{late}", next.migration.phase));
        // What a file has set for itself is not for the next one.
        let afresh = "RESET SESSION AUTHORIZATION; RESET ALL";
        history.run("beginning afresh", afresh).await?;
        history.wait_at_most(bounds.lock).await?;
        if next.migration.transaction {
            whole(&mut history, &next.migration, bounds).await?;
        } else {
            by_statement(&mut history, next, bounds).await?;
        }
    }
    for waiting in &plan.waiting {
        tell(&match &waiting.behind {
            None => format!("{} waits: {} may not run now", waiting.name, waiting.phase),
            Some(behind) => format!("{} waits behind {behind}", waiting.name),
        });
    }
    history.close().await;
    Ok(Report {
        ran: plan.run.into_iter().map(|next| next.migration.name).collect(),
        waiting: plan.waiting,
        missing: plan.missing,
    })
}

/// In one transaction with the line that says so. An error closes the connection, and with it everything is taken back.
async fn whole(history: &mut History, file: &Migration, bounds: Bounds) -> Result<(), ResourceError> {
    let start = clock::start();
    history.run("beginning a transaction", "BEGIN").await?;
    let ran = statements(history, &file.statements()).await;
    ran.map_err(|failure| failure.told(&file.name, Stays::Nothing, bounds))?;
    let line = line_of(file, &file.digest, None, clock::milliseconds_since(start));
    history.write(line).await?;
    history.run(&format!("keeping {}", file.name), "COMMIT").await
}

/// A statement at a time, each written down when it is done.
async fn by_statement(history: &mut History, next: &Next, bounds: Bounds) -> Result<(), ResourceError> {
    let start = clock::start();
    let file = &next.migration;
    let all = file.statements();
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
    for (done, statement) in (0..count).zip(&all) {
        if done < next.done {
            continue;
        }
        let ran = statements(history, std::slice::from_ref(statement)).await;
        ran.map_err(|failure| failure.told(&file.name, Stays::Statements(done), bounds))?;
        let so_far = history::digest_of(&all[..=done as usize]);
        let took = clock::milliseconds_since(start);
        history
            .write(line_of(file, &so_far, Some(done + 1), took))
            .await?;
    }
    let took = clock::milliseconds_since(start);
    history.write(line_of(file, &file.digest, None, took)).await
}

fn line_of<'a>(file: &'a Migration, digest: &'a str, done: Option<u32>, took: i64) -> Line<'a> {
    Line {
        name: &file.name,
        kind: KIND,
        phase: Some(file.phase),
        digest,
        done,
        outcome: if done.is_some() { "unfinished" } else { "done" },
        took,
    }
}

/// A statement that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    line: u32,
    why: sqlx::Error,
}

impl Failure {
    /// As it is told, by the name of its file.
    pub(crate) fn told(self, file: &str, stays: Stays, bounds: Bounds) -> ResourceError {
        if history::is_about_a_lock(&self.why) {
            return ResourceError::Locked {
                what: format!("{file}:{}", self.line),
                waited: bounds.lock,
                holder: "another session".to_owned(),
            };
        }
        let said = match self.why.as_database_error() {
            Some(said) => spoken(said),
            None => self.why.to_string(),
        };
        ResourceError::Statement {
            file: file.to_owned(),
            line: self.line,
            said,
            stays,
        }
    }
}

/// All that the database says of it: often it knows what was meant.
fn spoken(said: &dyn sqlx::error::DatabaseError) -> String {
    let mut text = said.message().to_owned();
    if let Some(said) = said.try_downcast_ref::<PgDatabaseError>() {
        for more in [said.detail(), said.hint()].into_iter().flatten() {
            text.push_str(". ");
            text.push_str(more.trim_end_matches('.'));
        }
    }
    text
}

/// Runs statements, with the rows that follow them.
pub(crate) async fn statements(history: &mut History, all: &[Statement<'_>]) -> Result<(), Failure> {
    for statement in all {
        let ran = match statement.rows {
            None => {
                let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.text));
                sql.execute(&mut history.connection).await.map(|_| ())
            }
            Some(rows) => copy(history, statement.text, rows).await,
        };
        ran.map_err(|why| Failure {
            line: statement.line + lines_before(statement.text, &why),
            why,
        })?;
    }
    Ok(())
}

async fn copy(history: &mut History, sql: &str, rows: &str) -> Result<(), sqlx::Error> {
    let mut copy = history.connection.copy_in_raw(sql).await?;
    copy.send(rows.as_bytes()).await?;
    copy.finish().await.map(|_| ())
}

/// How many lines of the statement stand before the place that the server points at.
fn lines_before(text: &str, why: &sqlx::Error) -> u32 {
    let said = why.as_database_error();
    let said = said.and_then(|said| said.try_downcast_ref::<PgDatabaseError>());
    let Some(PgErrorPosition::Original(place)) = said.and_then(PgDatabaseError::position) else {
        return 0;
    };
    let before = text.chars().take(place.saturating_sub(1));
    u32::try_from(before.filter(|letter| *letter == '\n').count()).unwrap_or(0)
}

/// Runs a command that migrates by itself, under the same lock, and writes down how it ended. It runs each time: whether
/// there is something to do, it knows.
pub async fn command(
    address: &Sealed<String>,
    command: &Command,
    bounds: Bounds,
    tell: Tell<'_>,
) -> Result<(), ResourceError> {
    let mut history = History::locked(address, bounds).await?;
    let start = clock::start();
    let ended = commands::run(command, tell).await;
    let outcome = match &ended {
        Ok(()) => "done".to_owned(),
        Err(error) => error.to_string(),
    };
    let line = Line {
        name: &format!("command: {}", command.line),
        kind: COMMAND,
        phase: None,
        digest: &blake3::hash(command.line.as_bytes()).to_hex(),
        done: None,
        outcome: &outcome,
        took: clock::milliseconds_since(start),
    };
    let written = history.write(line).await;
    history.close().await;
    ended.and(written)
}
