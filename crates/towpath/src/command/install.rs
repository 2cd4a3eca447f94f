//! `towpath serve --install`: a unit of systemd that serves this machine from its start.

use super::Context;
use crate::door::processes::{is_root, ourselves};
use crate::door::server::{has_systemd, plain, write_unit};
use crate::failure::{Failure, Kind};
use std::net::SocketAddr;
use std::path::Path;
use towpath_serve::Files;

const UNIT: &str = "towpath.service";

pub(super) fn run(
    context: &Context,
    home: &Path,
    listen: Option<SocketAddr>,
    files: Option<&Files>,
    only_shown: bool,
) -> Result<(), Failure> {
    let program = ourselves()?;
    let mut line = format!("{} serve --home {}", plain(&program)?, plain(home)?);
    if let Some(listen) = listen {
        line.push_str(&format!(" --listen {listen}"));
    }
    if let Some(files) = files {
        let (certificate, key) = (whole(&files.certificate)?, whole(&files.key)?);
        line.push_str(&format!(" --certificate {certificate} --key {key}"));
    }
    let text = unit(&line);
    if only_shown {
        return context.terminal.result(&text);
    }
    let again = format!("`towpath serve --install --print > {UNIT}` writes it for another machine");
    if !has_systemd() {
        let message = "this machine is not looked after by systemd, so there is nothing to install it into";
        return Err(Failure::new(Kind::Remote, message).hint(again));
    }
    if !is_root() {
        let message = "only root may install a service";
        return Err(
            Failure::new(Kind::User, message).hint("`sudo towpath serve --install`, with the same options")
        );
    }
    let path = write_unit(UNIT, &text)?;
    context
        .terminal
        .result(&format!("{} is written\n", path.display()))?;
    context.terminal.tell(
        "  `systemctl daemon-reload && systemctl enable --now towpath` starts it, now and with the machine\n",
    );
    Ok(())
}

fn whole(path: &Path) -> Result<String, Failure> {
    let whole = crate::door::files::whole(path);
    if !whole.is_absolute() {
        let message = format!("there is no {}", path.display());
        return Err(
            Failure::new(Kind::User, message).hint("a service needs the whole path of a file that is there")
        );
    }
    plain(&whole).map(str::to_owned)
}

/// The unit. What it starts are stewards, keepers and everything that products are made of: they live on when it ends
/// (`KillMode`), have groups of their own (`Delegate`) and no bound but theirs. What would forbid a program of theirs something,
/// such as to become another user or to make code while it runs, is not forbidden here.
fn unit(line: &str) -> String {
    format!(
        "[Unit]
Description=Towpath: looks after all products of this machine
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
# Programs look for one, and so does the authority that all products of a person share.
Environment=HOME=/root
ExecStart={line}
Restart=always
RestartSec=1
# It owns nothing that runs: stewards, the edge and everything else go on while it is started again.
KillMode=process
SendSIGHUP=no
# Each component has a group of its own, with its own limits.
Delegate=yes
TasksMax=infinity
LimitNOFILE=1048576
OOMPolicy=continue
UMask=0077
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectHostname=yes

[Install]
WantedBy=multi-user.target
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_outlives_the_service_that_has_started_it() {
        let text = unit("/usr/local/bin/towpath serve --home /var/lib/towpath");
        for line in [
            "Type=notify",
            "Restart=always",
            "KillMode=process",
            "Delegate=yes",
            "Environment=HOME=/root",
            "ExecStart=/usr/local/bin/towpath serve --home /var/lib/towpath",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}");
        }
    }
}
