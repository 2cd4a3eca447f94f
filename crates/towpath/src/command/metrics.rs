//! `towpath metrics`: counts and times of requests, as Prometheus reads them.

use super::Context;
use crate::cli::Metrics as Args;
use crate::failure::Failure;
use crate::here::{Here, Purpose};
use crate::talk::{failed, reach, wait};

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let here = Here::find(&args.among.words, args.among.env.as_deref(), Purpose::Running)?;
    let text = wait(async {
        let client = reach(&here).await?;
        client
            .text("/metrics")
            .await
            .map_err(|error| failed(&error, &here))
    })?;
    context.terminal.result(&only(&text, &here.components))
}

/// Leaves out the lines of what was not asked about. What has no component is of all of them.
fn only(text: &str, components: &[String]) -> String {
    let is_asked = |line: &&str| {
        components.is_empty()
            || line.starts_with('#')
            || components
                .iter()
                .any(|name| line.contains(&format!("{{component=\"{name}\"")))
    };
    let kept = text.lines().filter(is_asked);
    kept.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_about_is_printed() {
        let text =
            "# TYPE a counter\na{component=\"web\"} 1\na{component=\"webs\"} 2\nb{reason=\"unknown\"} 3\n";
        assert_eq!(only(text, &[]), text);
        let web = only(text, &["web".to_owned()]);
        assert_eq!(web, "# TYPE a counter\na{component=\"web\"} 1\n");
    }
}
