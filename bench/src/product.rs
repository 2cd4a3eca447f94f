//! A product of any size, as a team might have written it.

use std::fmt::Write;

/// A manifest with so many components: services and workers that need each other and share databases, in three
/// environments that change some of them.
pub(crate) fn manifest(components: usize) -> String {
    let mut text = String::from("product = \"bench\"\nregion = \"sin\"\ntime_zone = \"UTC\"\n\n");
    let databases = components.div_ceil(20);
    for number in 0..components {
        component(&mut text, number, databases);
    }
    for number in 0..databases {
        let _ = write!(
            text,
            "[postgres.db-{number}]\nversion = 16\nstorage = \"20GiB\"\n\
             backup = {{ full = \"daily 02:00\", keep = \"30d\", wal = \"5m\", drill = \"monthly\" }}\n\
             promise = {{ rpo = \"15m\", rto = \"4h\" }}\n\n\
             [secret.KEY_{number}]\nabout = \"Signs what passes between services\"\ngenerate = \"hex\"\nrotate = \"quarterly\"\n\n\
             [gate.tests-{number}]\ncommand = \"make test-{number}\"\ntimeout = \"10m\"\n\n"
        );
    }
    environments(&mut text, components, databases);
    text
}

fn component(text: &mut String, number: usize, databases: usize) {
    let database = number % databases;
    // Each needs the one before it, in rows of ten, so that nothing goes in a circle.
    let before = match number % 10 {
        0 => String::new(),
        _ => format!("\"{}\", ", name(number - 1)),
    };
    if number % 3 == 2 {
        let _ = write!(
            text,
            "[worker.{}]\nabout = \"Works on queue {number}\"\nrun = \"target/release/worker --queue {number}\"\n\
             uses = [{before}\"db-{database}\"]\nmemory = \"256MiB\"\nqueues = \"queue-{number}\"\ntimeout = \"10m\"\n\n",
            name(number)
        );
        return;
    }
    let _ = write!(
        text,
        "[service.{}]\nabout = \"Answers for part {number}\"\nrun = \"target/release/service --part {number}\"\n\
         build = \"cargo build --release -p part-{number}\"\nhealth = {{ path = \"/healthz\", interval = \"2s\" }}\n\
         uses = [{before}{{ name = \"db-{database}\", env = \"DATABASE_URL\" }}]\nreplicas = {{ min = 2, max = 6 }}\n\
         scale = {{ cpu = \"70%\" }}\nmemory = \"512MiB\"\nenv = {{ LOG_LEVEL = \"info\", KEY = \"secret:KEY_{database}\" }}\n\n",
        name(number)
    );
}

fn name(number: usize) -> String {
    format!("part-{number}")
}

fn environments(text: &mut String, components: usize, databases: usize) {
    let gates: Vec<String> = (0..databases)
        .map(|number| format!("\"tests-{number}\""))
        .collect();
    let _ = write!(
        text,
        "[environment.dev]\non = \"pull-request\"\ndata = {{ fresh = true }}\ncap = 1\n\n\
         [environment.staging]\non = \"push main\"\nlike = \"prod\"\ngates = [{gates}]\n\n\
         [environment.prod]\non = \"tag v*\"\nafter = \"staging\"\ngates = [{gates}]\n\n",
        gates = gates.join(", ")
    );
    for number in (0..components).filter(|number| number % 3 != 2).step_by(5) {
        let _ = write!(
            text,
            "[environment.prod.service.{name}]\nreplicas = {{ max = 12 }}\nmemory = \"1GiB\"\n\n\
             [environment.dev.service.{name}]\nreplicas = 1\nscale = false\n\n",
            name = name(number)
        );
    }
}
