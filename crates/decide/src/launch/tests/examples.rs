//! What is started of every example where people develop.

use super::{shown, with};
use insta::assert_snapshot;

#[test]
fn hello() {
    let text = include_str!("../../../../../examples/hello/towpath.toml");
    assert_snapshot!(shown(&with(text, "dev", &[], &[])), @r"
    service web: python3 -m http.server $PORT
      in /p
      runs 1 of 1
      listens any, public
      well / within 30s
      PORT = its port
    ");
}

#[test]
fn synapse() {
    let text = include_str!("../../../../../examples/synapse/towpath.toml");
    let files = [(
        ".env",
        "DATABASE_URL=postgres://localhost/synapse\nDEV_GUILD_ID=1\n",
    )];
    assert_snapshot!(shown(&with(text, "local", &files, &[])), @r#"
    service api: ../target/debug/synapse-api
      in /p
      runs 1 of 1
      built by rust
      needs discord
      listens 8000, public
      well /health within 30s
      watches /p/src: rebuild
      watches /p/Cargo.toml: rebuild
      DATABASE_URL = sealed DATABASE_URL
      DISCORD_CLIENT_ID = "1076543210987654321"
      DISCORD_CLIENT_SECRET = sealed DISCORD_CLIENT_SECRET
      DISCORD_REDIRECT_URI = "http://localhost:5173/auth/callback"
      DISCORD_URL = url of discord
      FRONTEND_URL = "http://localhost:5173"
      JWT_SECRET = sealed JWT_SECRET
      PORT = its port
    bot bot: ../target/debug/synapse-bot
      in /p
      runs 1 of 1, never two
      built by rust
      needs discord
      well ../target/debug/synapse-bot health
      watches /p/src: rebuild
      watches /p/Cargo.toml: rebuild
      DATABASE_URL = sealed DATABASE_URL
      DEV_GUILD_ID = sealed DEV_GUILD_ID
      DISCORD_TOKEN = sealed DISCORD_TOKEN
      DISCORD_URL = url of discord
    service dashboard: ../target/debug/synapse-dashboard
      in /p
      runs 1 of 1
      built by rust
      needs api
      listens 5173, public
      well / within 30s
      watches /p/dashboard: sync
      watches /p/src: rebuild
      watches /p/Cargo.toml: rebuild
      API_URL = url of api
      PORT = its port
    stand-in discord: ../target/debug/synapse-gateway
      in /p
      runs 1 of 1
      built by rust
      listens any, plain, gateway
      well port
      watches /p/src: rebuild
      watches /p/Cargo.toml: rebuild
      PORT = its port
    build rust: cargo build --locked --package synapse in /p
      with rust 1.95
    values: DATABASE_URL DEV_GUILD_ID
    make: DISCORD_CLIENT_SECRET (hex) DISCORD_TOKEN (hex) JWT_SECRET (hex)
    "#);
}

#[test]
fn webapp() {
    let text = include_str!("../../../../../examples/webapp/towpath.toml");
    assert_snapshot!(shown(&with(text, "dev", &[], &[])), @r#"
    function api: ../target/debug/webapp-api
      in /p
      runs 0 of 10
      built by rust
      needs db db-pool sign-in
      listens any, public
      well /api/health within 30s
      sleeps after 1m
      watches /p/src: rebuild
      watches /p/Cargo.toml: rebuild
      DATABASE_URL = "postgres://webapp:" + sealed TOWPATH_DB_PASSWORD + "@127.0.0.1:" + port of db-pool + "/webapp"
      DB_DIRECT_URL = "postgres://webapp:" + sealed TOWPATH_DB_PASSWORD + "@127.0.0.1:" + port of db + "/webapp"
      LOG_LEVEL = "debug"
      PORT = its port
      SIGN_IN_URL = url of sign-in
      SUPABASE_JWT_SECRET = sealed SUPABASE_JWT_SECRET
    postgres db: -
      in /p
      runs 1 of 1, never two
      listens any, plain, tcp
      well webapp may use webapp
      keeps webapp of version any
      migrates by /p/migrations
      DATABASE_URL = "postgres://webapp:" + sealed TOWPATH_DB_PASSWORD + "@127.0.0.1:" + port of db + "/webapp"
      PORT = its port
    pool db-pool: -
      in /p
      runs 1 of 1, never two
      needs db
      listens any, plain, tcp
      well webapp may use webapp
      keeps webapp of version any
      PORT = its port
    stand-in sign-in: ../target/debug/webapp-sign-in
      in /p
      runs 1 of 1
      built by rust
      listens any, plain, rest
      well port
      watches /p/src: rebuild
      watches /p/Cargo.toml: rebuild
      PORT = its port
    site web: -
      in /p
      runs 0 of 0
      needs api sign-in
      listens any, public, not inside, /api to api
      serves /p/site or None
      watches /p/site: sync
    build rust: cargo build --locked --package webapp in /p
      with rust 1.95
    make: SUPABASE_JWT_SECRET (hex) TOWPATH_DB_PASSWORD (hex)
    "#);
}

#[test]
fn reflectpause() {
    let text = include_str!("../../../../../examples/reflectpause/towpath.toml");
    assert_snapshot!(shown(&with(text, "dev", &[], &[])), @r#"
    bot guard: python -m reflectpause.bot
      in /p
      runs 0 of 1, never two
      but 1 daily 07:00-23:00 Asia/Singapore
      needs perspective
      well python -m reflectpause.health
      memory 256MB
      DISCORD_URL = "wss://gateway.discord.gg"
      HASH_SALT = sealed HASH_SALT
      LOG_LEVEL = "info"
      PERSPECTIVE_URL = url of perspective
    stand-in perspective: python -m reflectpause.mock_perspective
      in /p
      runs 1 of 1
      listens any, plain
      well port
      PORT = its port
    make: HASH_SALT (hex)
    problem at bot.guard.uses[2]: `guard` does not start without `DATABASE_URL`, which has no value: Address of the project's database
      help: write DATABASE_URL=.. into .env; it comes from: Supabase project settings
    problem at bot.guard.env.DISCORD_TOKEN.value: `guard` does not start without `DISCORD_TOKEN`, which has no value: Opens the session at Discord's gateway
      help: write DISCORD_TOKEN=.. into .env; it comes from: Discord developer portal
    problem at bot.guard.env.PERSPECTIVE_API_KEY.value: `guard` does not start without `PERSPECTIVE_API_KEY`, which has no value: Identifies us at Perspective
      help: write PERSPECTIVE_API_KEY=.. into .env; it comes from: Google Cloud console
    note at bot.guard.build.dockerfile: `guard` is started by `run`, and not from an image: bot/Dockerfile is not used
      help: where something has to be built first, add a `command` to [bot.guard.build]
    "#);
}

#[test]
fn reflect_coach() {
    let text = include_str!("../../../../../examples/reflect-coach/towpath.toml");
    assert_snapshot!(shown(&with(text, "dev", &[], &[("AI_HMAC_SECRET", "x")])), @r#"
    service ai: python -m coach.server
      in /p
      runs 1 of 1
      listens any, ai.internal
      well /healthz within 30s
      memory 1GiB
      watches /p/coach/**: restart
      AI_HMAC_SECRET = sealed AI_HMAC_SECRET
      FEATURE_BINANCE = "false"
      FEATURE_VENDOR_FALLBACK = "false"
      HEURISTICS_ONLY = "false"
      PORT = its port
    service core: node packages/core/dist/main.js
      in /p
      runs 1 of 1
      needs ai? db db-pool queue
      listens any, api.internal
      well /healthz within 30s
      memory 512MiB
      watches /p/packages/**: restart
      watches /p/pnpm-lock.yaml: restart
      AI_HMAC_SECRET = sealed AI_HMAC_SECRET
      AI_URL = url of ai
      DATABASE_URL = "postgres://reflect-coach:" + sealed TOWPATH_DB_PASSWORD + "@127.0.0.1:" + port of db-pool + "/reflect-coach"
      DB_DIRECT_URL = "postgres://reflect-coach:" + sealed TOWPATH_DB_PASSWORD + "@127.0.0.1:" + port of db + "/reflect-coach"
      DIGESTS_KEPT = "1"
      FEATURE_BINANCE = "false"
      FEATURE_VENDOR_FALLBACK = "false"
      HEURISTICS_ONLY = "false"
      PORT = its port
      REDIS_URL = "redis://default:" + sealed TOWPATH_QUEUE_PASSWORD + "@127.0.0.1:" + port of queue + "/0"
    postgres db: -
      in /p
      runs 1 of 1, never two
      listens any, plain, tcp
      well reflect-coach may use reflect-coach
      keeps reflect-coach of version 16
      DATABASE_URL = "postgres://reflect-coach:" + sealed TOWPATH_DB_PASSWORD + "@127.0.0.1:" + port of db + "/reflect-coach"
      PORT = its port
    pool db-pool: -
      in /p
      runs 1 of 1, never two
      needs db
      listens any, plain, tcp
      well reflect-coach may use reflect-coach
      keeps reflect-coach of version 16
      PORT = its port
    service edge: node packages/edge/dist/main.js
      in /p
      runs 1 of 1
      needs core
      listens any, public, sticky, websocket, edge.dev.example.com
      well /healthz within 30s
      memory 512MiB
      watches /p/packages/**: restart
      watches /p/pnpm-lock.yaml: restart
      CORE_URL = url of core
      FEATURE_BINANCE = "false"
      FEATURE_VENDOR_FALLBACK = "false"
      HEURISTICS_ONLY = "false"
      PORT = its port
    bucket files: -
      in /p
      runs 1 of 1, never two
      listens any, plain
      well /-/health within 2m
      keeps files of version any
      DATABASE_URL = "http://127.0.0.1:" + port of files + "/files"
      PORT = its port
    redis queue: -
      in /p
      runs 1 of 1, never two
      listens any, plain, tcp
      well redis
      keeps 0 of version 7
      DATABASE_URL = "redis://default:" + sealed TOWPATH_QUEUE_PASSWORD + "@127.0.0.1:" + port of queue + "/0"
      PORT = its port
    worker workers: node packages/workers/dist/main.js
      in /p
      runs 1 of 1
      needs ai? db db-pool queue files
      well node packages/workers/dist/ready.js
      memory 512MiB
      watches /p/packages/**: restart
      watches /p/pnpm-lock.yaml: restart
      AI_HMAC_SECRET = sealed AI_HMAC_SECRET
      AI_URL = url of ai
      AWS_ACCESS_KEY_ID = "reflect-coach"
      AWS_ENDPOINT_URL_S3 = "http://127.0.0.1:" + port of files
      AWS_REGION = "us-east-1"
      AWS_SECRET_ACCESS_KEY = sealed TOWPATH_FILES_PASSWORD
      DATABASE_URL = "postgres://reflect-coach:" + sealed TOWPATH_DB_PASSWORD + "@127.0.0.1:" + port of db-pool + "/reflect-coach"
      DB_DIRECT_URL = "postgres://reflect-coach:" + sealed TOWPATH_DB_PASSWORD + "@127.0.0.1:" + port of db + "/reflect-coach"
      FEATURE_BINANCE = "false"
      FEATURE_VENDOR_FALLBACK = "false"
      FILES_ACCESS_KEY_ID = "reflect-coach"
      FILES_BUCKET = "files"
      FILES_ENDPOINT = "http://127.0.0.1:" + port of files
      FILES_REGION = "us-east-1"
      FILES_SECRET_ACCESS_KEY = sealed TOWPATH_FILES_PASSWORD
      FILES_URL = "http://127.0.0.1:" + port of files + "/files"
      HEURISTICS_ONLY = "false"
      REDIS_URL = "redis://default:" + sealed TOWPATH_QUEUE_PASSWORD + "@127.0.0.1:" + port of queue + "/0"
      SIMULATION_TTL = "1h"
    values: AI_HMAC_SECRET
    make: TOWPATH_DB_PASSWORD (hex) TOWPATH_FILES_PASSWORD (hex) TOWPATH_QUEUE_PASSWORD (hex)
    problem at environment.dev.engine: `dev` runs on docker, and this version starts processes only
      help: write engine = "process" in [environment.dev], or name another environment with `--env`
    problem at service.core.env.DATA_KEY.value: `core` does not start without `DATA_KEY`, which has no value: Encrypts diaries; itself wrapped by the key service
      help: write DATA_KEY=.. into .env
    note at build.node.dockerfile: `core`, `edge` and `workers` are started by `run` each, and not from an image: docker/node.Dockerfile is not used
      help: where something has to be built first, add a `command` to [build.node]
    note at build.python.dockerfile: `ai` is started by `run`, and not from an image: docker/python.Dockerfile is not used
      help: where something has to be built first, add a `command` to [build.python]
    note at edge.mtls: components show certificates to the edge, which speaks plain HTTP to instances on this machine
      help: write trust = "hmac" and a `secret` where an instance itself has to know that a call has come by the edge
    "#);
}

#[test]
fn phishsentry() {
    let text = include_str!("../../../../../examples/phishsentry/towpath.toml");
    assert_snapshot!(shown(&with(text, "dev", &[], &[])), @r#"
    stand-in intel-feeds: pnpm --filter intel-mock start
      in /p
      runs 1 of 1
      listens any, plain, rest
      well port
      PORT = its port
    service model-engine: python -m model_engine.serve
      in /p
      runs 2 of 2
      listens any
      well /ready within 5m
      memory 16GiB
      INTEL_FEEDS = "false"
      PORT = its port
    worker model-jobs: python -m model_engine.jobs
      in /p
      runs 1 of 2
      needs shared shared-pool
      memory 16GiB
      INTEL_FEEDS = "false"
      SHARED_DIRECT_URL = "postgres://phishsentry:" + sealed TOWPATH_SHARED_PASSWORD + "@127.0.0.1:" + port of shared + "/phishsentry"
      SHARED_URL = "postgres://phishsentry:" + sealed TOWPATH_SHARED_PASSWORD + "@127.0.0.1:" + port of shared-pool + "/phishsentry"
    site ops-dashboard: -
      in /p/apps/ops-dashboard
      runs 0 of 0
      built by ops-dashboard
      needs scoring-api
      listens any, public, not inside, ops-dashboard.dev.phishsentry.example
      serves /p/apps/ops-dashboard/dist or Some("index.html")
    service scoring-api: node dist/server.js
      in /p/packages/scoring-api
      runs 2 of 2
      built by scoring-api
      needs model-engine shared shared-pool intel-feeds?
      listens any, public, scoring-api.dev.phishsentry.example, /internal apart
      well /healthz within 30s
      INTEL_FEEDS = "false"
      INTEL_FEEDS_URL = url of intel-feeds
      MODEL_ENGINE_URL = url of model-engine
      PORT = its port
      SHARED_DIRECT_URL = "postgres://phishsentry:" + sealed TOWPATH_SHARED_PASSWORD + "@127.0.0.1:" + port of shared + "/phishsentry"
      SHARED_URL = "postgres://phishsentry:" + sealed TOWPATH_SHARED_PASSWORD + "@127.0.0.1:" + port of shared-pool + "/phishsentry"
    postgres shared: -
      in /p
      runs 1 of 1, never two
      listens any, plain, tcp
      well phishsentry may use phishsentry
      keeps phishsentry of version 16
      migrates by /p/migrations
      DATABASE_URL = "postgres://phishsentry:" + sealed TOWPATH_SHARED_PASSWORD + "@127.0.0.1:" + port of shared + "/phishsentry"
      PORT = its port
    pool shared-pool: -
      in /p
      runs 1 of 1, never two
      needs shared
      listens any, plain, tcp
      well phishsentry may use phishsentry
      keeps phishsentry of version 16
      PORT = its port
    function telemetry-ingress: node dist/server.js
      in /p/packages/telemetry-ingress
      runs 0 of 2
      built by telemetry-ingress
      needs scoring-api
      listens any, public, telemetry-ingress.dev.phishsentry.example
      well /healthz within 30s
      sleeps after 5m
      INTEL_FEEDS = "false"
      PORT = its port
      SCORING_API_URL = url of scoring-api
    build ops-dashboard: pnpm --filter ops-dashboard build in /p/apps/ops-dashboard
    build scoring-api: pnpm --filter scoring-api build in /p/packages/scoring-api
    build telemetry-ingress: pnpm --filter telemetry-ingress build in /p/packages/telemetry-ingress
    make: EXTENSION_TOKEN (token) TOWPATH_SHARED_PASSWORD (hex)
    problem at service.scoring-api.route[0].access.secret: `ops-dashboard` and `scoring-api` do not start without `ACCESS_CLIENT_ID`, which has no value: Our client at the sign-in
      help: write ACCESS_CLIENT_ID=.. into .env
    note at postgres.shared.migrate: the data of dev is not real: migrations of `shared` run at once, outside their windows, too
      help: write data = { real = true } in [environment.dev] where people are to be protected by them
    note at build.model-engine.dockerfile: `model-engine` and `model-jobs` are started by `run` each, and not from an image: packages/model-engine/Dockerfile is not used
      help: where something has to be built first, add a `command` to [build.model-engine]
    note at edge.mtls: components show certificates to the edge, which speaks plain HTTP to instances on this machine
      help: write trust = "hmac" and a `secret` where an instance itself has to know that a call has come by the edge
    note at edge.authority: this version asks no other host to sign certificates: the product's own authority signs them here
      help: leave it where it is if another machine serves this manifest, or take it out
    "#);
}

#[test]
fn lockside() {
    let text = include_str!("../../../../../examples/lockside/towpath.toml");
    assert_snapshot!(shown(&with(text, "dev", &[], &[])), @r#"
    stand-in airwaves: target/debug/lockside airwaves
      in /p
      runs 1 of 1
      built by rust
      listens any, plain, tcp
      well port
      watches /p/src: rebuild
      watches /p/Cargo.toml: rebuild
      PORT = its port
    site bank: -
      in /p
      runs 0 of 0
      needs canal toll
      listens any, public, not inside, /toll to toll, /api to canal
      serves /p/site or None
      watches /p/site: sync
    service canal: target/debug/lockside canal
      in /p
      runs 2 of 2
      built by rust
      listens any
      well /healthz within 30s
      memory 64MiB
      watches /p/src: rebuild
      watches /p/Cargo.toml: rebuild
      CANAL_KEY = sealed CANAL_KEY
      PACE = "1"
      PORT = its port
      STATE = "state"
    extension horn: -
      in /p
      runs 0 of 0
      packs /p/extension
      watches /p/extension: rebuild
    job launch: target/debug/lockside launch
      in /p
      runs 0 of 1
      built by rust
      needs canal
      memory 32MiB
      takes 20s
      watches /p/src: rebuild
      watches /p/Cargo.toml: rebuild
      CANAL_KEY = sealed CANAL_KEY
      CANAL_URL = url of canal
    job logbook: target/debug/lockside logbook
      in /p
      runs 0 of 1
      built by rust
      needs canal
      memory 32MiB
      when every 1m in Europe/London
      takes 20s
      again 2 after 2s
      watches /p/src: rebuild
      watches /p/Cargo.toml: rebuild
      CANAL_KEY = sealed CANAL_KEY
      CANAL_URL = url of canal
      STATE = "state"
    bot radio: target/debug/lockside radio
      in /p
      runs 1 of 1, never two
      built by rust
      needs airwaves canal
      well target/debug/lockside radio-health
      memory 32MiB
      watches /p/src: rebuild
      watches /p/Cargo.toml: rebuild
      AIRWAVES_URL = url of airwaves
      CALL_SIGN = "LOCKSIDE-DEV"
      CANAL_KEY = sealed CANAL_KEY
      CANAL_URL = url of canal
      STATE = "state"
    function toll: target/debug/lockside toll
      in /p
      runs 0 of 2
      built by rust
      listens any
      well /healthz within 30s
      memory 32MiB
      sleeps after 1m
      watches /p/src: rebuild
      watches /p/Cargo.toml: rebuild
      PORT = its port
    worker windlass: target/debug/lockside windlass
      in /p
      runs 1 of 1
      built by rust
      needs canal
      memory 32MiB
      watches /p/src: rebuild
      watches /p/Cargo.toml: rebuild
      CANAL_KEY = sealed CANAL_KEY
      CANAL_URL = url of canal
      PACE = "1"
    build rust: cargo build --locked in /p
      with rust 1.95
    make: CANAL_KEY (hex)
    "#);
}
