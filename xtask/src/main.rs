//! The tools of the house: `cargo xtask tidy` and `cargo xtask generate`.

use std::process::ExitCode;

mod disk;
mod generate;
mod out;
mod tidy;
mod tree;

const USAGE: &str = "\
Usage: cargo xtask <command>

Commands:
  tidy [--notes]      checks the rules of the house; --notes also shows what is close to a limit
  generate [--check]  writes the generated files; --check only says which of them are stale
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done: Result<bool, Box<dyn std::error::Error>> = match words.as_slice() {
        ["tidy"] => tidy::run(false).map_err(Into::into),
        ["tidy", "--notes"] => tidy::run(true).map_err(Into::into),
        ["generate"] => generate::run(generate::Mode::Write),
        ["generate", "--check"] => generate::run(generate::Mode::Check),
        ["help" | "--help" | "-h"] => {
            out::line(USAGE.trim_end());
            return ExitCode::SUCCESS;
        }
        _ => {
            out::problem(USAGE.trim_end());
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            out::problem(&format!("error: {failure}"));
            ExitCode::FAILURE
        }
    }
}
