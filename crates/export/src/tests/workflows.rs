//! What workflows say, by manifests that are about one thing each.

use super::{exported, workflow};
use crate::github::pins;

const PRODUCT: &str = "
    product = \"shop\"
    [service.web]
    run = \"bin/web\"
    public = true
";

fn product(more: &str) -> String {
    format!("{PRODUCT}{more}")
}

/// The lines from the one that begins a job to the next job.
fn job(text: &str, name: &str) -> String {
    let begins = format!("  {name}:");
    let lines = text.lines().skip_while(|line| **line != begins);
    let mut job: Vec<&str> = lines.take(1).collect();
    let lines = text.lines().skip_while(|line| **line != begins).skip(1);
    job.extend(lines.take_while(|line| line.starts_with("    ") || line.is_empty()));
    job.join("\n")
}

#[test]
fn each_environment_has_a_job_for_what_makes_a_change_arrive_there() {
    let text = workflow(
        &product(
            "
            [environment.dev]
            on = \"push main\"
            domain = \"dev.example.com\"
            [environment.staging]
            on = [\"push main\", \"manual\"]
            after = \"dev\"
            [environment.pilot]
            after = \"staging\"
            [environment.prod]
            on = [\"tag v*\", \"schedule daily 02:00\"]
            after = \"staging\"
            ",
        ),
        "deploy",
    );
    assert!(
        text.contains(
            "on:\n  push:\n    branches: [main]\n    tags: [v*]\n  schedule:\n    - cron: \"0 2 * * *\"\n"
        ),
        "{text}"
    );
    assert!(text.contains("`pilot` has no job"), "{text}");
    assert!(text.contains("options: [staging]"), "{text}");
    let dev = job(&text, "deploy-dev");
    let condition =
        "if: ${{ !cancelled() && github.event_name == 'push' && github.ref == 'refs/heads/main' }}";
    assert!(dev.contains(condition), "{dev}");
    assert!(dev.contains("url: https://dev.example.com"), "{dev}");
    let staging = job(&text, "deploy-staging");
    assert!(staging.contains("needs: [deploy-dev]"), "{staging}");
    assert!(
        staging.contains("&& needs.deploy-dev.result == 'success') || ("),
        "{staging}"
    );
    assert!(staging.contains("inputs.environment == 'staging'"), "{staging}");
    let prod = job(&text, "deploy-prod");
    assert!(!prod.contains("needs"), "no other environment gets a tag: {prod}");
    assert!(prod.contains("startsWith(github.ref, 'refs/tags/v')"), "{prod}");
    assert!(prod.contains("github.event.schedule == '0 2 * * *'"), "{prod}");
    assert!(
        prod.contains("group: shop-prod\n") && prod.contains("cancel-in-progress: false"),
        "{prod}"
    );
    assert!(
        prod.contains("towpath deploy prod --to \"$TOWPATH_HOST\""),
        "{prod}"
    );
}

#[test]
fn a_pull_request_has_a_preview_of_its_own_and_is_told_where_it_is() {
    let manifest = "
        [environment.try]
        on = \"pull-request\"
        preview = { expires = \"3d\", comment = true }
        domain = \"try.example.com\"
    ";
    let text = workflow(&product(manifest), "deploy");
    let preview = job(&text, "deploy-try");
    assert!(text.contains("pull_request: {}"), "{text}");
    assert!(
        preview.contains("head.repo.full_name == github.repository"),
        "{preview}"
    );
    assert!(
        preview.contains("group: shop-try-${{ github.event.pull_request.number || github.run_id }}"),
        "{preview}"
    );
    assert!(preview.contains("pull-requests: write"), "{preview}");
    assert!(preview.contains("gh pr comment"), "{preview}");
    let silent = workflow(
        &product(&manifest.replace("comment = true", "comment = false")),
        "deploy",
    );
    assert!(
        !silent.contains("pull-requests: write") && !silent.contains("gh pr comment"),
        "{silent}"
    );
}

#[test]
fn tests_run_in_a_matrix_of_systems_versions_and_browsers() {
    let text = workflow(
        &product(
            "
            [environment.prod]
            on = \"push main\"
            [ci]
            systems = [\"ubuntu-latest\", \"windows-latest\"]
            runtimes = [\"python 3.12\", \"python 3.13\", \"node 22\"]
            browsers = [\"chrome\", \"firefox\"]
            gates = [\"unit\", \"sites\"]
            [gate.unit]
            about = \"Unit tests\"
            junit = { report = \"reports/unit.xml\", run = \"pytest --junitxml reports/unit.xml\" }
            timeout = \"90s\"
            retries = 2
            [gate.sites]
            junit = { report = \"reports/sites.xml\", run = \"npx playwright test\" }
            over = [\"x.com\"]
            fails = \"warn\"
            ",
        ),
        "deploy",
    );
    let test = job(&text, "test");
    for part in [
        "system: [ubuntu-latest, windows-latest]",
        "python: [\"3.12\", \"3.13\"]",
        "node: [\"22\"]",
        "browser: [chrome, firefox]",
        "runs-on: ${{ matrix.system }}",
        "python-version: ${{ matrix.python }}",
        "TOWPATH_BROWSER: ${{ matrix.browser }}",
        "name: \"unit: Unit tests\"",
        "timeout-minutes: 5",
        "for try in $(seq 3); do",
        "TOWPATH_OVER: x.com",
        "continue-on-error: true",
        "npx playwright install --with-deps",
        "path: reports/unit.xml",
        "name: sites-x-com-${{ strategy.job-index }}",
    ] {
        assert!(test.contains(part), "{part}\n{test}");
    }
    assert!(job(&text, "deploy-prod").contains("needs: [test]"), "{text}");
}

#[test]
fn scans_have_a_workflow_of_their_own_that_every_change_passes() {
    let manifest = product(
        "
        [environment.prod]
        on = \"push main\"
        [ci]
        gates = [\"code\"]
        [gate.code]
        tool = \"CodeQL\"
        sarif = { report = \"code.sarif\", run = \"npm run scan\", older_than = \"1d\" }
        ",
    );
    let text = workflow(&manifest, "security");
    for part in [
        "cron: \"17 3 * * *\"",
        "workflow_call: {}",
        "fetch-depth: 0",
        "security-events: write",
        "run: |\n          npm run scan\n",
        "sarif_file: code.sarif",
        "The tool is CodeQL.",
        "hashFiles('code.sarif') != ''",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let deploy = workflow(&manifest, "deploy");
    assert!(
        deploy.contains("uses: ./.github/workflows/security.yml"),
        "{deploy}"
    );
    assert!(
        job(&deploy, "deploy-prod").contains("needs.security.result == 'success'"),
        "{deploy}"
    );
    assert!(!deploy.contains("npm run scan"), "{deploy}");
}

#[test]
fn a_rollback_takes_what_is_typed_as_values_and_waits_for_no_deployment() {
    let text = workflow(&product("[environment.prod]\non = \"push main\"\n"), "rollback");
    assert!(
        text.contains("group: shop-rollback-${{ inputs.environment }}"),
        "{text}"
    );
    assert!(text.contains("RELEASE: ${{ inputs.release }}"), "{text}");
    let line = "towpath rollback --to \"$TOWPATH_HOST\" -- \"$ENVIRONMENT\" ${RELEASE:+\"$RELEASE\"}";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("id-token: write"), "{text}");
}

#[test]
fn health_is_looked_at_as_often_as_the_probe_that_runs_most() {
    let manifest = |every: &str| {
        product(&format!(
            "
            [environment.prod]
            on = \"push main\"
            [probe.answers]
            http = \"GET /\"
            of = \"web\"
            expect = \"status = 200\"
            every = \"{every}\"
            "
        ))
    };
    for (every, cron) in [
        ("1m", "*/5 * * * *"),
        ("5m", "*/5 * * * *"),
        ("7m", "*/10 * * * *"),
        ("1h", "7 * * * *"),
    ] {
        let text = workflow(&manifest(every), "health-check");
        assert!(text.contains(&format!("cron: \"{cron}\"")), "{every}: {text}");
    }
}

#[test]
fn what_the_manifest_names_is_written_and_nothing_else() {
    let manifest = product("[environment.prod]\non = \"push main\"\n[ci]\nworkflows = [\"rollback\"]\n");
    let files = exported(&manifest, "").expect("it can be told");
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, [".github/workflows/rollback.yml"]);
    assert_eq!(exported(PRODUCT, ""), Ok(Vec::new()));
}

#[test]
fn somebodys_own_machine_has_no_job() {
    let manifest = product(
        "[environment.local]\non = \"manual\"\n[environment.prod]\non = [\"push main\", \"manual\"]\n",
    );
    let text = workflow(&manifest, "deploy");
    assert!(!text.contains("deploy-local"), "{text}");
    assert!(text.contains("options: [prod]"), "{text}");
}

#[test]
fn a_product_below_the_root_of_a_repository_is_worked_on_there() {
    let manifest = product(
        "
        [environment.prod]
        on = \"push main\"
        [ci]
        gates = [\"unit\"]
        [gate.unit]
        junit = { report = \"unit.xml\", run = \"make test\" }
        ",
    );
    let files = exported(&manifest, "products/shop").expect("it can be told");
    let deploy = &files.first().expect("there is one").text;
    assert!(deploy.contains("working-directory: products/shop"), "{deploy}");
    assert!(deploy.contains("path: products/shop/unit.xml"), "{deploy}");
}

#[test]
fn secrets_reach_the_step_that_builds_and_those_that_live_for_minutes_are_stored_nowhere() {
    let manifest = product(
        "
        [environment.prod]
        on = \"push main\"
        [ci]
        secrets = [\"REGISTRY_PASSWORD\", \"CLOUD_TOKEN\"]
        [secret.REGISTRY_PASSWORD]
        about = \"Opens the registry\"
        keeper = \"ci\"
        [secret.CLOUD_TOKEN]
        about = \"Deploys\"
        short_lived = true
        ",
    );
    let text = workflow(&manifest, "deploy");
    assert_eq!(text.matches("${{ secrets.").count(), 1, "{text}");
    assert!(
        text.contains("REGISTRY_PASSWORD: ${{ secrets.REGISTRY_PASSWORD }}"),
        "{text}"
    );
}

#[test]
fn no_text_of_a_manifest_becomes_an_expression() {
    let evil = "${{ secrets.TOKEN }}";
    let manifest = product(&format!(
        "
        [environment.prod]
        about = \"{evil}\"
        on = \"push main\"
        [ci]
        runtimes = [\"a}}}}{evil} 1\"]
        systems = [\"{evil}\"]
        gates = [\"unit\"]
        [gate.unit]
        about = \"{evil}\"
        command = \"make test\"
        over = [\"{evil}\"]
        "
    ));
    for file in exported(&manifest, "").expect("it can be told") {
        let lines = file
            .text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        for line in lines {
            assert!(!line.contains(evil), "{line}");
            assert!(!line.contains("matrix.a}"), "{line}");
        }
    }
    let refused = exported(&manifest.replace("make test", "echo ${{ x }}"), "").expect_err("it is refused");
    assert!(refused.what.contains("gate `unit`"), "{refused}");
}

#[test]
fn a_trigger_that_github_cannot_be_told_is_refused() {
    for (on, told) in [
        ("push release-[0-9]", "pattern"),
        ("push a*b*", "pattern"),
        ("schedule every 7m", "cannot be told to GitHub"),
        ("schedule daily 02:00 Asia/Singapore", "cannot be told to GitHub"),
    ] {
        let manifest = product(&format!("[environment.prod]\non = \"{on}\"\n"));
        let refused = exported(&manifest, "").expect_err(on);
        assert!(
            refused.what.contains(told) && refused.what.contains("`prod`"),
            "{refused}"
        );
    }
}

#[test]
fn every_action_is_named_by_a_commit_and_a_version() {
    let versions = |text: &str| text.starts_with('v') && text.split('.').count() == 3;
    for pin in pins::ALL {
        let (action, commit) = pin
            .to_string()
            .split_once('@')
            .map(|(a, c)| (a.to_owned(), c.to_owned()))
            .expect("@");
        assert!(action.contains('/'), "{action}");
        assert!(
            commit.len() == 40 && commit.bytes().all(|one| one.is_ascii_hexdigit()),
            "{action}"
        );
        assert!(versions(pin.version()), "{action}");
    }
}
