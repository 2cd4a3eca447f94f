//! How HAProxy is configured for production, with one worker.

use crate::group::Group;
use crate::place::{Place, Process, write};
use std::path::Path;

pub(super) fn start(place: &Place, folder: &Path, group: &Group, ports: [u16; 3]) -> Result<Process, String> {
    let file = folder.join("haproxy.cfg");
    write(&file, configuration(place, ports).as_bytes())?;
    let command = ["haproxy", "-db", "-f", &file.display().to_string()];
    Process::start(group, &command.map(str::to_owned), &[])
}

fn configuration(place: &Place, [http, https, upstream]: [u16; 3]) -> String {
    let both = place.folder.join("both.pem");
    let both = both.display();
    format!(
        "global
    nbthread 1
    maxconn 9000
    ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 75s
    timeout http-request 30s
    http-reuse always
frontend visitors
    bind 127.0.0.1:{http} backlog 16384
    bind 127.0.0.1:{https} backlog 16384 ssl crt {both} alpn h2,http/1.1
    option forwardfor
    unique-id-format %{{+X}}o%ci:%cp_%fi:%fp_%Ts_%rt:%pid
    unique-id-header X-Request-Id
    http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
    http-request set-header X-Forwarded-Proto http if !{{ ssl_fc }}
    http-request set-header X-Forwarded-Host %[req.hdr(Host)]
    default_backend instances
backend instances
    server one 127.0.0.1:{upstream}
"
    )
}
