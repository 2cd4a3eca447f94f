//! How Caddy is configured for production, with one worker.

use crate::group::Group;
use crate::place::{Place, Process, write};
use std::path::Path;

pub(super) fn start(place: &Place, folder: &Path, group: &Group, ports: [u16; 3]) -> Result<Process, String> {
    let file = folder.join("Caddyfile");
    write(&file, configuration(place, ports).as_bytes())?;
    let command = ["caddy", "run", "--config", &file.display().to_string()];
    let home = folder.display().to_string();
    // More threads than a part of one processor has would only be throttled at once.
    let settings = ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"].map(|name| (name, home.clone()));
    let mut settings = settings.to_vec();
    settings.push(("GOMAXPROCS", "1".to_owned()));
    Process::start(group, &command.map(str::to_owned), &settings)
}

fn configuration(place: &Place, [http, https, upstream]: [u16; 3]) -> String {
    let (certificate, key, site) = (
        place.certificate.display(),
        place.key.display(),
        place.site.display(),
    );
    format!(
        "{{
    admin off
    auto_https off
    log {{
        output discard
    }}
}}
(passing) {{
    handle_path /site/* {{
        root * {site}
        file_server
    }}
    handle {{
        reverse_proxy 127.0.0.1:{upstream} {{
            header_up X-Request-Id {{http.request.uuid}}
            transport http {{
                keepalive 75s
                keepalive_idle_conns 256
                keepalive_idle_conns_per_host 256
            }}
        }}
    }}
}}
http://:{http} {{
    import passing
}}
https://localhost:{https}, https://*.bench.localhost:{https} {{
    tls {certificate} {key}
    import passing
}}
"
    )
}
