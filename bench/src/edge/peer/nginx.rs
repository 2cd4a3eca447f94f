//! How nginx is configured for production, with one worker.

use crate::group::Group;
use crate::place::{Place, Process, write};
use std::path::Path;

pub(super) fn start(place: &Place, folder: &Path, group: &Group, ports: [u16; 3]) -> Result<Process, String> {
    let file = folder.join("nginx.conf");
    write(&file, configuration(place, folder, ports).as_bytes())?;
    let command = [
        "nginx",
        "-p",
        &folder.display().to_string(),
        "-c",
        &file.display().to_string(),
    ];
    Process::start(group, &command.map(str::to_owned), &[])
}

fn configuration(place: &Place, folder: &Path, [http, https, upstream]: [u16; 3]) -> String {
    let (folder, site) = (folder.display(), place.site.display());
    let (certificate, key) = (place.certificate.display(), place.key.display());
    format!(
        "daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/pid;
error_log {folder}/error.log crit;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    server_tokens off;
    keepalive_timeout 75s;
    keepalive_requests 100000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    open_file_cache max=1000 inactive=60s;
    types {{ text/html html; }}
    default_type application/octet-stream;
    upstream instances {{
        server 127.0.0.1:{upstream};
        keepalive 256;
        keepalive_requests 100000000;
    }}
    server {{
        listen 127.0.0.1:{http} backlog=16384;
        listen 127.0.0.1:{https} ssl http2 backlog=16384;
        server_name localhost .bench.localhost;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache shared:sessions:10m;
        ssl_session_tickets on;
        location / {{
            proxy_pass http://instances;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Request-Id $request_id;
        }}
        location /site/ {{ alias {site}/; }}
    }}
}}
"
    )
}
