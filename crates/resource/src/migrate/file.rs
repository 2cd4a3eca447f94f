//! A file of a migration: its number, its phase, and how it wants to be run.

use super::split::{self, Statement};
use towpath_model::desired::resource::Phase;

/// What a line of ours begins with.
const MARK: &str = "towpath:";

/// Words with which a statement begins that would end the transaction that the file runs in.
const TRANSACTION: &[&str] = &["begin", "start", "commit", "end", "rollback", "abort"];

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The name of the file, by which it is known for ever.
    pub name: String,
    /// The number that it begins with.
    pub number: u64,
    /// What it does to code that runs.
    pub phase: Phase,
    /// Whether it runs in a transaction.
    pub transaction: bool,
    /// Says whether it is still the same. How lines end does not count: git changes that.
    pub digest: String,
    pub(crate) text: String,
}

impl Migration {
    /// By what it is ordered.
    pub(super) fn place(&self) -> (u64, &str) {
        (self.number, &self.name)
    }

    pub(crate) fn statements(&self) -> Vec<Statement<'_>> {
        // It has been read without a mistake already.
        split::split(&self.text).unwrap_or_default()
    }
}

/// Whether a file in the folder is meant to be a migration. Ways back are not: what is to be different goes forward.
pub(super) fn is_meant(name: &str) -> bool {
    name.ends_with(".sql") && !name.ends_with(".down.sql") && !name.starts_with('.')
}

/// Reads a file by its name and text; what is wrong with it otherwise.
pub fn parse(name: &str, text: &str) -> Result<Migration, String> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let (number, named) = read_name(name)?;
    let header = read_header(name, &text)?;
    if let (Some(named), Some(written)) = (named, header.phase)
        && named != written
    {
        return Err(format!(
            "{name} says {named} in its name and {written} in its text"
        ));
    }
    let statements = split::split(&text).map_err(|(line, why)| format!("{name}:{line}: {why}"))?;
    let ends = |statement: &&Statement<'_>| ends_transaction(statement);
    if header.transaction
        && let Some(statement) = statements.iter().find(ends)
    {
        return Err(format!(
            "{name}:{}: begins or ends a transaction, and each file runs in one already; leave it out, or write `-- towpath: no transaction` at the top",
            statement.line
        ));
    }
    Ok(Migration {
        name: name.to_owned(),
        number,
        phase: named.or(header.phase).unwrap_or(Phase::Expand),
        transaction: header.transaction,
        digest: blake3::hash(text.as_bytes()).to_hex().to_string(),
        text,
    })
}

/// Whether a statement would end a transaction, or begin another one.
pub(crate) fn ends_transaction(statement: &Statement<'_>) -> bool {
    let word = statement.first_word();
    TRANSACTION.contains(&word.as_str())
}

/// `012_drop_legacy.contract.sql`: the number, and the phase where the name says it.
fn read_name(name: &str) -> Result<(u64, Option<Phase>), String> {
    let stem = name.strip_suffix(".sql").unwrap_or(name);
    let stem = stem.strip_suffix(".up").unwrap_or(stem);
    let digits = stem.bytes().take_while(u8::is_ascii_digit).count();
    let number = stem[..digits].parse().map_err(|_| {
        format!("{name} begins with no number: write it as 012_what_it_does.sql, so that its place is known")
    })?;
    let phase = match stem.rsplit_once('.') {
        None => None,
        Some((_, word)) => Some(phase(word).ok_or_else(|| {
            format!("{name} says `{word}` where a phase is expected: expand, backfill or contract")
        })?),
    };
    Ok((number, phase))
}

struct Header {
    phase: Option<Phase>,
    transaction: bool,
}

/// The lines before the first statement that are comments for us: `-- towpath: contract, no transaction`.
fn read_header(name: &str, text: &str) -> Result<Header, String> {
    let mut header = Header {
        phase: None,
        transaction: true,
    };
    let comments = text
        .lines()
        .map(str::trim)
        .take_while(|line| line.is_empty() || line.starts_with("--"));
    for line in comments {
        let comment = line.trim_start_matches('-').trim_start();
        let Some(words) = comment.strip_prefix(MARK) else {
            continue;
        };
        for word in words.split(',').map(str::trim) {
            match phase(word) {
                Some(phase) if header.phase.is_some_and(|said| said != phase) => {
                    return Err(format!("{name} says two phases; split it into two files"));
                }
                Some(phase) => header.phase = Some(phase),
                None if word == "no transaction" => header.transaction = false,
                None => {
                    return Err(format!(
                        "{name} says `{word}` to towpath, which knows: expand, backfill, contract, no transaction"
                    ));
                }
            }
        }
    }
    Ok(header)
}

fn phase(word: &str) -> Option<Phase> {
    Phase::ALL.iter().copied().find(|phase| phase.word() == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_stands_in_the_name_or_at_the_top() {
        let phase = |name: &str, text: &str| parse(name, text).map(|file| (file.number, file.phase));
        assert_eq!(phase("001_a.sql", ""), Ok((1, Phase::Expand)));
        assert_eq!(phase("2_a.contract.sql", ""), Ok((2, Phase::Contract)));
        assert_eq!(
            phase("20260101120000-a.backfill.up.sql", ""),
            Ok((20_260_101_120_000, Phase::Backfill))
        );
        let text = "-- Drops what nobody reads.\n\n-- towpath: contract\nDROP TABLE a;";
        assert_eq!(phase("003_a.sql", text), Ok((3, Phase::Contract)));
        assert_eq!(phase("003_a.contract.sql", text), Ok((3, Phase::Contract)));
        let late = "SELECT 1;\n-- towpath: contract";
        assert_eq!(phase("003_a.sql", late), Ok((3, Phase::Expand)));
        let file = parse("4_a.sql", "-- towpath: backfill, no transaction\nSELECT 1").unwrap();
        assert_eq!((file.phase, file.transaction), (Phase::Backfill, false));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_name() {
        let told = |name: &str, text: &str| parse(name, text).unwrap_err();
        insta::assert_snapshot!(told("first.sql", ""), @"first.sql begins with no number: write it as 012_what_it_does.sql, so that its place is known");
        insta::assert_snapshot!(told("1_a.contrac.sql", ""), @"1_a.contrac.sql says `contrac` where a phase is expected: expand, backfill or contract");
        insta::assert_snapshot!(told("1_a.expand.sql", "-- towpath: contract"), @"1_a.expand.sql says expand in its name and contract in its text");
        insta::assert_snapshot!(told("1_a.sql", "-- towpath: no transactions"), @"1_a.sql says `no transactions` to towpath, which knows: expand, backfill, contract, no transaction");
        insta::assert_snapshot!(told("1_a.sql", "CREATE TABLE a();\n COMMIT;"), @"1_a.sql:2: begins or ends a transaction, and each file runs in one already; leave it out, or write `-- towpath: no transaction` at the top");
        assert!(parse("1_a.sql", "-- towpath: no transaction\nBEGIN; COMMIT").is_ok());
    }

    #[test]
    fn how_lines_end_is_no_change() {
        let digest = |text: &str| parse("1_a.sql", text).unwrap().digest;
        assert_eq!(
            digest("SELECT 1;\r\nSELECT 2;\r\n"),
            digest("\u{feff}SELECT 1;\nSELECT 2;\n")
        );
        assert_ne!(digest("SELECT 1;"), digest("SELECT 2;"));
    }

    #[test]
    fn ways_back_are_no_migrations() {
        assert!(is_meant("1_a.sql") && is_meant("1_a.up.sql"));
        assert!(!is_meant("1_a.down.sql") && !is_meant("README.md") && !is_meant(".1_a.sql"));
    }
}
