//! `Gemfile`: Rails, Rack and Sidekiq.

use super::cargo::resource_variable;
use super::found::{Found, Part};
use super::view::{View, join};
use std::collections::BTreeSet;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::resource::ResourceKind;

pub(super) fn find(view: &View, found: &mut Found) {
    for (folder, text) in view.called("Gemfile") {
        let file = join(folder, "Gemfile");
        let gems: BTreeSet<&str> = text.lines().filter_map(gem).collect();
        let mut parts = Vec::new();
        if gems.contains("rails") {
            let mut part = part(
                ComponentKind::Service,
                "web",
                "bundle exec rails server -b 0.0.0.0 -p $PORT",
                folder,
                &file,
            );
            part.health = Some("/up".to_owned());
            parts.push(part);
            found.migrate = found
                .migrate
                .take()
                .or(Some(("bundle exec rails db:migrate".to_owned(), file.clone())));
        } else if gems.contains("sinatra") || gems.contains("rack") || gems.contains("roda") {
            parts.push(part(
                ComponentKind::Service,
                "web",
                "bundle exec rackup -o 0.0.0.0 -p $PORT",
                folder,
                &file,
            ));
        }
        if gems.contains("sidekiq") {
            parts.push(part(
                ComponentKind::Worker,
                "worker",
                "bundle exec sidekiq",
                folder,
                &file,
            ));
        }
        if gems.contains("discordrb") {
            parts.push(part(
                ComponentKind::Bot,
                "bot",
                "bundle exec ruby bot.rb",
                folder,
                &file,
            ));
        }
        for mut part in parts {
            for (names, kind) in [
                (["pg", "sequel_pg"], ResourceKind::Postgres),
                (["redis", "sidekiq"], ResourceKind::Redis),
            ] {
                if names.iter().any(|name| gems.contains(name)) {
                    part.need(&found.store(kind, &file), Some(resource_variable(kind)));
                }
            }
            found.add(part);
        }
    }
}

fn part(kind: ComponentKind, name: &str, run: &str, folder: &str, file: &str) -> Part {
    let mut part = Part::new(kind, name, folder, file);
    part.build = Some("bundle install".to_owned());
    part.run = Some(run.to_owned());
    part.public = kind == ComponentKind::Service;
    part
}

/// `gem "rails", "~> 8.0"` names `rails`.
fn gem(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix("gem ")?.trim_start();
    let mark = rest.chars().next().filter(|mark| matches!(mark, '"' | '\''))?;
    rest[1..].split(mark).next()
}
