//! What the edge does in front of a component.

use super::secret::ToSecret;
use crate::unit::{Bytes, Duration, Email, Path, Rate, Url};
use crate::word::{Map, Ref};
use crate::{choice, table};

/// What can stand in two braces in an `error_page`.
pub const PAGE_WORDS: [&str; 4] = ["status", "title", "reason", "request"];

choice! {
    /// A set of response headers.
    HeaderSet
    /// Content-security policy, HSTS, Referrer-Policy, Permissions-Policy, no framing, no sniffing. What the component
    /// itself says stays.
    Strict = "strict";
    /// HSTS and no sniffing.
    Basic = "basic";
    /// Nothing is added.
    None = "none";
}

choice! {
    /// The certificate that visitors see.
    Tls
    /// Issued and renewed by the edge: a local authority on `localhost`, ACME elsewhere.
    Auto = "auto";
    /// From files.
    Files = "files";
    /// Ended by something in front of us, a CDN for example.
    InFront = "in-front";
    /// None: plain HTTP.
    Off = "off";
}

choice! {
    /// How a certificate authority looks whether a domain is ours.
    Proof
    /// By a path that it asks for by plain HTTP, at port 80 of the domain.
    Http = "http";
    /// By a handshake, at port 443 of the domain.
    Tls = "tls";
}

table! {
    /// The files of a certificate. They are read again when they change; a new one that does not fit is not taken.
    Files {}
    /// The file with the certificate, and below it those between it and its root.
    chain: Path { required eg "/etc/ssl/example.com/fullchain.pem" };
    /// The file with its key.
    key: Path { required eg "/etc/ssl/example.com/privkey.pem" };
}

choice! {
    /// How somebody signs in at the edge.
    SignIn
    /// With an OpenID Connect provider: the edge sends browsers there, and takes tokens of it from programs. Whoever has
    /// signed in is told to the instance as `X-Towpath-User`.
    Oidc = "oidc";
    /// With a password, which the browser asks for. Whoever has given it is known by a cookie for as long as `lasts`.
    Password = "password";
    /// With a token, as `Authorization: Bearer`.
    Token = "token";
    /// With a certificate that `authority` has signed. Browsers are asked for it under names that need it, over HTTPS. Whoever
    /// has shown it is told to the instance as `X-Towpath-User`: the e-mail address or the name of the machine in it.
    Certificate = "certificate";
}

choice! {
    /// What happens to a request that looks automatic.
    BotRule
    /// It passes.
    Allow = "allow";
    /// It waits for a second.
    Slow = "slow";
    /// It gets 429 with a cookie, and a browser comes again with that by itself.
    Challenge = "challenge";
    /// It is refused.
    Block = "block";
}

table! {
    /// Response headers that the edge adds.
    Headers { short [set] }
    /// The set that it starts from.
    set: HeaderSet = HeaderSet::Strict;
    /// The content-security policy.
    csp: Option<String> { eg "default-src 'self'" };
    /// How long browsers insist on HTTPS. It is said over HTTPS only, and not under names of this machine.
    hsts: Option<Duration> { eg "1y" };
    /// What other sites learn of where a visitor came from.
    referrer: Option<String> { eg "strict-origin-when-cross-origin" };
    /// What the page may use of the browser.
    permissions: Option<String> { eg "camera=(), microphone=()" };
    /// Further headers.
    add: Map<crate::unit::HeaderName, String> { eg "{ X-Robots-Tag = \"noindex\" }" };
}

table! {
    /// Limits that the edge keeps.
    Limit { short [rate] }
    /// Requests in a time, by what they are counted; all together where nothing is said. Whoever lacks what is counted is
    /// counted by address. More get 429 with `Retry-After` and `RateLimit`.
    rate: Option<Rate> { eg "100/s per ip" };
    /// The largest body; a larger one gets 413, at once where its length is said.
    body: Option<Bytes> { eg "1MiB" };
    /// Open requests of one instance above which others are preferred.
    soft: Option<u32> { eg "400" };
    /// Open requests of one instance that are never exceeded. More wait, and get 503 in the end.
    hard: Option<u32> { eg "500" };
    /// Whether an instance that is at its end is given no more at once than it answers anyway, where `hard` is not said: some of the others
    /// wait for the time of half an answer, the rest gets 503 with `Retry-After` at once. How many that are is found out, and first it is
    /// seen twice that fewer bring as many answers, so nobody is sent away from one that is merely slow. Only requests whose answer has
    /// not begun are counted, and no large uploads. With `false` it is given all that comes.
    shed: bool = true;
    /// How long an instance may take until its answer begins; then it is 504.
    time: Option<Duration> { eg "30s" };
}

table! {
    /// How long answers may be kept.
    Cache { short [assets] }
    /// How long files with a digest in their name may be kept.
    assets: Option<Duration> { eg "1y" };
    /// How long pages may be kept.
    pages: Option<Duration> { eg "5m" };
    /// How long the edge itself may keep answers, at most. It keeps those that say so (`Cache-Control`), as a shared cache.
    edge: Option<Duration> { eg "1h" };
}

table! {
    /// Who may pass.
    Access { short [sign_in] }
    /// How they sign in.
    sign_in: SignIn = SignIn::Oidc;
    /// The address of the provider that people sign in at.
    issuer: Option<Url> { eg "https://accounts.example.com" };
    /// Who the product is at the provider: its client id. `secret` is the client's secret then, where it has one; without
    /// `client`, `secret` is the client id.
    client: Option<String> { eg "shop" };
    /// A file with the certificates of those who sign certificates, as PEM. Without it the product's own authority signs them,
    /// by `towpath certificate PERSON`.
    authority: Option<Path> { eg "certificates/people.pem" };
    /// What is asked with: the client's secret or its id, a password, or a token. It stays at the edge.
    secret: Option<Ref<ToSecret>>;
    /// Only these people: by an address that their provider says is theirs, or with a password, by the name that they give.
    people: Vec<Email> { eg "ana@example.com" };
    /// Only people with an address of these domains, or named by `people`.
    domains: Vec<crate::unit::Domain> { eg "example.com" };
    /// Only members of these groups at the provider, of those whom `people` and `domains` let in.
    groups: Vec<String> { eg "ops" };
    /// How long a sign-in lasts.
    lasts: Duration = crate::unit::known("12h");
}

table! {
    /// Rules against unwanted requests.
    Waf { short [bots] }
    /// What happens to requests that look automatic.
    bots: BotRule = BotRule::Allow;
    /// Requests that match are refused: parts of paths, in whichever letters or encoding.
    block_paths: Vec<String> { eg "/wp-admin" };
    /// Requests whose path or query looks like an injection are refused. Bodies are not looked at.
    injections: bool = true;
    /// Requests from these countries are refused. This version does not keep it, and starts nothing that asks for it.
    block_countries: Vec<String>;
}

table! {
    /// A part of a component's address space with rules of its own, laid over those of the component that answers there.
    Route { short [path] }
    /// The beginning of the path.
    path: String { required eg "/upload" };
    /// Another component that answers there, under the same name.
    to: Option<Ref<super::component::ToComponent>> { eg "api" };
    /// Limits.
    limit: Option<Limit>;
    /// The largest body.
    body: Option<Bytes> { eg "20MB" };
    /// Who may pass.
    access: Option<Access>;
    /// Headers that requests have to carry.
    require: Vec<super::component::Require>;
    /// Rules against unwanted requests.
    waf: Option<Waf>;
    /// How long answers may be kept.
    cache: Option<Cache>;
    /// Somewhere else to send the visitor.
    redirect: Option<String> { eg "/new" };
    /// What it is for.
    about: Option<String>;
}

table! {
    /// The edge itself: what holds for everything that is public.
    Edge {}
    /// The addresses that visitors come to: `0.0.0.0` is every IPv4 address of the machine, `::` every IPv6 address. Where
    /// nothing is said, these two; in `local` and `dev`, this machine alone.
    listen: Vec<crate::unit::Ip> { eg "203.0.113.7" };
    /// The port for HTTPS. Where nothing is said and others reach it, 443, and no other one; where only this machine does, a
    /// free one from 8443 upwards.
    https: Option<crate::unit::Port> { eg "443" };
    /// The port for plain HTTP. Where nothing is said, 80 or a free one from 8080 upwards, in the same way.
    http: Option<crate::unit::Port> { eg "80" };
    /// Protocols offered to visitors.
    protocols: Vec<String> { eg "h2" };
    /// Plain HTTP is answered with the HTTPS address.
    https_only: bool = true;
    /// Where an outside network, a CDN for example, stands in front.
    in_front: Option<String> { eg "Cloudflare" };
    /// Only these networks reach the edge, those of a CDN for example. Others are refused before a byte is read.
    allow: Vec<crate::unit::Cidr>;
    /// What these networks say of a visitor (`Forwarded`, `X-Forwarded-For`) is believed. Where nothing is said here and
    /// something stands in front, those of `allow` are.
    forwarders: Vec<crate::unit::Cidr> { eg "203.0.113.0/24" };
    /// Connections from forwarders begin with a header of the PROXY protocol, version 1 or 2.
    proxy_protocol: bool = false;
    /// Components call each other over TLS, and show certificates of the product's own authority. Whoever says so in `uses`
    /// is let in, and nobody else.
    mtls: bool = false;
    /// The host that signs such certificates, where it is not Towpath's own authority.
    authority: Option<Ref<super::place::ToHost>> { eg "vault" };
    /// How long such a certificate lasts before it is replaced.
    certificates: Duration = crate::unit::known("7d");
    /// Where certificates are asked for.
    acme: Option<Url> { eg "https://acme-v02.api.letsencrypt.org/directory" };
    /// A file with roots that its address is checked with, besides those that the system knows.
    acme_root: Option<Path> { eg "/etc/ssl/our-own-authority.pem" };
    /// How it looks whether a domain is ours. Where nothing is said, both ways are tried in turn.
    acme_proof: Option<Proof> { eg "tls" };
    /// A page that browsers are shown for what cannot be answered: a file of HTML, in which `{{status}}`, `{{title}}`,
    /// `{{reason}}` and `{{request}}` stand for what is the case.
    error_page: Option<Path>;
    /// How long a request waits for something that wakes or is switched.
    hold: Duration = crate::unit::known("30s");
    /// Rules against unwanted requests, for everything public.
    waf: Option<Waf>;
    /// A command that clears what is kept in front, after a rollback.
    purge: Option<crate::unit::Command> { eg "bin/purge-cdn" };
}
