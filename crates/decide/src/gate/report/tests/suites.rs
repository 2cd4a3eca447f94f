//! Suites in JUnit: what passes, what fails, and what is no report of tests at all.

use super::*;

fn found(gate_text: &str, report: &str) -> Found {
    let gate = gate(gate_text);
    let asked = gate.junit.expect("it is about JUnit");
    junit(
        &asked,
        Report {
            file: "junit.xml",
            bytes: report.as_bytes(),
        },
    )
}

fn plain(report: &str) -> Found {
    found("junit = \"junit.xml\"", report)
}

#[test]
fn suites_pass_and_fail_by_their_tests() {
    let twenty: String = (0..20)
        .map(|at| format!("<testcase name='t{at}'><failure/></testcase>"))
        .collect();
    let told = all(&[
        (
            "all pass",
            plain(
                "<?xml version='1.0' encoding='UTF-8'?>\n<testsuites><testsuite name='a'><testcase classname='a' name='one'/><testcase name='two'></testcase></testsuite></testsuites>",
            ),
        ),
        (
            "one fails, one is skipped",
            plain(
                "<testsuite tests='3' failures='1'><testcase classname='cart' name='adds'><failure message='expected 2 &lt; 1'>trace</failure></testcase><testcase name='b'/><testcase name='c'><skipped/></testcase></testsuite>",
            ),
        ),
        (
            "suites in suites, an error whose text says why",
            plain(
                "<testsuites><testsuite><testsuite><testcase name='deep'><error><![CDATA[\nTypeError: x is not a function\n at y]]></error></testcase></testsuite></testsuite></testsuites>",
            ),
        ),
        (
            "the first of many are named",
            plain(&format!("<testsuite>{twenty}</testsuite>")),
        ),
        (
            "a suite counts what it does not name",
            plain(
                "<testsuites errors='1'><testsuite failures='2'><testcase name='a'><failure/></testcase></testsuite></testsuites>",
            ),
        ),
        (
            "a suite itself fails",
            plain("<testsuite name='setup'><error message='no database'/></testsuite>"),
        ),
        (
            "an attribute says how it ended",
            plain("<testsuite><testcase name='a' status='failed'/></testsuite>"),
        ),
        ("nothing ran", plain("<testsuites/>")),
        (
            "everything was skipped",
            plain("<testsuite><testcase name='a'><skipped/></testcase></testsuite>"),
        ),
        (
            "fewer than have to be in it",
            found(
                "junit = { report = \"junit.xml\", at_least = 100 }",
                "<testsuite><testcase name='a'/></testsuite>",
            ),
        ),
    ]);
    same(&told, include_str!("suites.txt"), "suites");
}

#[test]
fn what_is_no_junit_fails_with_its_place() {
    let deep = "<testsuite>".repeat(200);
    let many: String = (0..100).map(|at| format!(" a{at}='x'")).collect();
    let told = all(&[
        ("empty", plain("  \n ")),
        (
            "cut off between two tests",
            plain("<testsuite>\n <testcase name='a'/>\n"),
        ),
        ("cut off in a tag", plain("<testsuite>\n <testcase nam")),
        ("JSON", plain("{\"tests\": 3}")),
        ("a page", plain("<html><body/></html>")),
        ("another format", plain("<test-run result='Passed'/>")),
        ("words", plain("all tests passed")),
        (
            "a bomb",
            plain(
                "<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY more '&lol;&lol;&lol;'>]>\n<testsuite name='&more;'/>",
            ),
        ),
        (
            "an entity that nobody declares",
            plain("<testsuite><system-out>&lol;</system-out></testsuite>"),
        ),
        ("one in an attribute", plain("<testsuite name='&lol;'/>")),
        (
            "another encoding",
            plain("<?xml version='1.0' encoding='ISO-8859-1'?><testsuite/>"),
        ),
        ("nested without end", plain(&deep)),
        ("attributes without end", plain(&format!("<testsuite{many}/>"))),
        (
            "tags that do not fit",
            plain("<testsuite><testcase name='a'></testsuite>"),
        ),
        (
            "two roots",
            plain("<testsuite><testcase name='a'/></testsuite>\n<testsuite/>"),
        ),
        ("a number that is none", plain("<testsuite failures='none'/>")),
    ]);
    same(&told, include_str!("suites_broken.txt"), "suites_broken");
    let sixteen: Vec<u8> = "<testsuite/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let asked = gate("junit = \"junit.xml\"").junit.expect("it is about JUnit");
    for (bytes, what) in [
        ([&[0xff, 0xfe], sixteen.as_slice()].concat(), "is UTF-16"),
        (
            b"<testsuite name='\xff'/>".to_vec(),
            "line 1, column 18: is no UTF-8",
        ),
        (
            b"<testsuite name='\xc3".to_vec(),
            "breaks off in the middle of a letter",
        ),
        (
            b"<testsuite>\n\0</testsuite>".to_vec(),
            "line 2, column 1: has a NUL byte",
        ),
    ] {
        let found = junit(
            &asked,
            Report {
                file: "junit.xml",
                bytes: &bytes,
            },
        );
        assert!(
            matches!(&found.verdict, Verdict::Fail(why) if why.contains(what)),
            "{what}: {found:?}"
        );
    }
}
