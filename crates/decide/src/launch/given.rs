//! What every process is given, what it is handed on of a person's own environment, and values that are made up.

use towpath_model::desired::secret::Generator;
use towpath_model::run::{AUTHORITY, CERTIFICATE, Credential, Value, Variables};
use towpath_model::sealed::Sealed;
use towpath_model::unit::Name;

/// A variable that every component gets.
#[derive(Debug)]
pub struct Given {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub about: &'static str,
    /// Only what listens has it.
    pub listening: bool,
    /// Only where components show each other certificates.
    pub certified: bool,
    /// Its value for a component of a product in an environment.
    pub value: fn(product: &Name, environment: &Name, component: &Name) -> Value,
}

/// The variables that every component gets, in the order of the reference.
pub static GIVEN: &[Given] = &[
    Given {
        name: "PORT",
        about: "The port that it has to listen on, on 127.0.0.1; its `port` where that is written",
        listening: true,
        certified: false,
        value: |_, _, _| Value::Port,
    },
    Given {
        name: "TOWPATH_PRODUCT",
        about: "The product's name",
        listening: false,
        certified: false,
        value: |product, _, _| Value::Text(product.to_string()),
    },
    Given {
        name: "TOWPATH_ENVIRONMENT",
        about: "The environment's name",
        listening: false,
        certified: false,
        value: |_, environment, _| Value::Text(environment.to_string()),
    },
    Given {
        name: "TOWPATH_COMPONENT",
        about: "The component's name",
        listening: false,
        certified: false,
        value: |_, _, component| Value::Text(component.to_string()),
    },
    Given {
        name: CERTIFICATE,
        about: "A file with its certificate and, behind it, its key: what it shows to components that it calls",
        listening: false,
        certified: true,
        value: |_, _, component| credential(component, Credential::Certificate),
    },
    Given {
        name: AUTHORITY,
        about: "A file with the certificate that it believes those components by",
        listening: false,
        certified: true,
        value: |_, _, component| credential(component, Credential::Authority),
    },
];

fn credential(component: &Name, which: Credential) -> Value {
    let of = component.clone();
    Value::Credential { of, which }
}

/// Variables of a person's own environment that processes are handed on.
#[derive(Debug)]
pub struct HandedOn {
    /// Their names; a `*` stands for any ending.
    pub names: &'static [&'static str],
    /// Why.
    pub why: &'static str,
}

/// What is handed on. Everything else stays behind: what is not named here works on one machine only, and may be a
/// password that nobody meant to give to every program of a product.
pub static HANDED_ON: &[HandedOn] = &[
    HandedOn {
        names: &["PATH"],
        why: "Commands are found by it",
    },
    HandedOn {
        names: &["HOME", "USER", "LOGNAME", "SHELL"],
        why: "Programs keep settings and caches in a person's own folder, and ask who that is",
    },
    HandedOn {
        names: &["LANG", "LANGUAGE", "LC_*", "TZ"],
        why: "Texts, numbers and times look as they do in the person's shell",
    },
    HandedOn {
        names: &["TMPDIR", "TMP", "TEMP", "XDG_*"],
        why: "Folders for what is temporary, cached or set, where they are not the usual ones",
    },
    HandedOn {
        names: &[
            "TERM",
            "COLORTERM",
            "NO_COLOR",
            "FORCE_COLOR",
            "CLICOLOR",
            "CLICOLOR_FORCE",
        ],
        why: "Whether output is colored",
    },
    HandedOn {
        names: &["EDITOR", "PAGER"],
        why: "One-off commands open them",
    },
    HandedOn {
        names: &[
            "CARGO_HOME",
            "CARGO_TARGET_DIR",
            "RUSTUP_HOME",
            "RUSTUP_TOOLCHAIN",
            "RUST_LOG",
            "RUST_BACKTRACE",
        ],
        why: "Where Rust keeps its tools, and how much its programs say",
    },
    HandedOn {
        names: &[
            "VIRTUAL_ENV",
            "CONDA_PREFIX",
            "PYENV_ROOT",
            "PYENV_VERSION",
            "PYTHONPATH",
            "PYTHONUNBUFFERED",
            "UV_CACHE_DIR",
            "UV_PYTHON",
            "POETRY_HOME",
            "PIPX_HOME",
        ],
        why: "Which Python it is, and where its packages are",
    },
    HandedOn {
        names: &[
            "NVM_DIR",
            "NVM_BIN",
            "FNM_DIR",
            "FNM_MULTISHELL_PATH",
            "VOLTA_HOME",
            "NODE_PATH",
            "NODE_OPTIONS",
            "NODE_EXTRA_CA_CERTS",
            "NPM_CONFIG_CACHE",
            "NPM_CONFIG_PREFIX",
            "NPM_CONFIG_REGISTRY",
            "npm_config_cache",
            "npm_config_prefix",
            "npm_config_registry",
            "PNPM_HOME",
            "COREPACK_HOME",
            "BUN_INSTALL",
            "DENO_DIR",
            "DENO_INSTALL",
        ],
        why: "Which Node, Bun or Deno it is, and where packages are; keys of registries are named otherwise and stay behind",
    },
    HandedOn {
        names: &[
            "GOPATH",
            "GOROOT",
            "GOCACHE",
            "GOMODCACHE",
            "GOPROXY",
            "GOFLAGS",
            "GOTOOLCHAIN",
        ],
        why: "Where Go keeps its tools and modules",
    },
    HandedOn {
        names: &[
            "JAVA_HOME",
            "MAVEN_HOME",
            "M2_HOME",
            "GRADLE_HOME",
            "GRADLE_USER_HOME",
            "SDKMAN_DIR",
        ],
        why: "Which Java it is, and where its tools are",
    },
    HandedOn {
        names: &[
            "RBENV_ROOT",
            "RBENV_VERSION",
            "GEM_HOME",
            "GEM_PATH",
            "BUNDLE_PATH",
            "COMPOSER_HOME",
            "MIX_HOME",
            "HEX_HOME",
            "ASDF_DIR",
            "ASDF_DATA_DIR",
            "MISE_DATA_DIR",
            "DOTNET_ROOT",
        ],
        why: "Where Ruby, PHP, Elixir, .NET and tools for several languages keep theirs",
    },
    HandedOn {
        names: &[
            "PKG_CONFIG_PATH",
            "LD_LIBRARY_PATH",
            "LIBRARY_PATH",
            "CPATH",
            "CC",
            "CXX",
            "CFLAGS",
            "CXXFLAGS",
            "LDFLAGS",
        ],
        why: "Builds of native code find compiler and libraries by them",
    },
    HandedOn {
        names: &[
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "NO_PROXY",
            "FTP_PROXY",
            "http_proxy",
            "https_proxy",
            "all_proxy",
            "no_proxy",
            "ftp_proxy",
        ],
        why: "Without them nothing outside is reached where there is a proxy; one that has a password in it gives it on",
    },
    HandedOn {
        names: &[
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "CURL_CA_BUNDLE",
            "REQUESTS_CA_BUNDLE",
            "PIP_CERT",
            "CARGO_HTTP_CAINFO",
            "GIT_SSL_CAINFO",
        ],
        why: "Certificates of a network that has its own authority",
    },
    HandedOn {
        names: &["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "BUILDKIT_HOST"],
        why: "Which Docker is asked",
    },
    HandedOn {
        names: &["DISPLAY", "WAYLAND_DISPLAY"],
        why: "Tests that open a browser show it",
    },
];

/// What is handed on of an environment.
pub fn base(person: &[(String, String)]) -> Variables {
    let handed = |name: &str| {
        let mut patterns = HANDED_ON.iter().flat_map(|one| one.names);
        patterns.any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == *pattern,
        })
    };
    let kept = person.iter().filter(|(name, _)| handed(name));
    kept.map(|(name, value)| (name.clone(), Sealed::new(value.clone())))
        .collect()
}

/// A value that is made up of random bytes.
pub fn made(generator: Generator, random: [u8; 32]) -> Sealed<String> {
    Sealed::new(match generator {
        Generator::Hex => hex(&random),
        Generator::Token => token(random),
        Generator::Uuid => uuid(random),
        Generator::KeyPair => key_pair(&random),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 43 letters and digits hold 256 bits: the bytes are one large number, written with 62 digits.
fn token(mut number: [u8; 32]) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digit = |_| {
        let mut left = 0_u32;
        for byte in &mut number {
            let whole = left * 256 + u32::from(*byte);
            // What is left is below 62, so that the quotient is below 256.
            *byte = u8::try_from(whole / 62).unwrap_or(u8::MAX);
            left = whole % 62;
        }
        let place = usize::try_from(left).unwrap_or(0);
        char::from(DIGITS.get(place).copied().unwrap_or(b'0'))
    };
    (0..43).map(digit).collect()
}

/// A UUID of version 4.
fn uuid(random: [u8; 32]) -> String {
    let mut text = hex(&random[..16]);
    // The version, and the variant of RFC 9562.
    text.replace_range(12..13, "4");
    text.replace_range(16..17, ["8", "9", "a", "b"][usize::from(random[8] >> 6)]);
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}

/// An Ed25519 key pair in PKCS #8: the private key, which the public one follows from.
fn key_pair(seed: &[u8; 32]) -> String {
    // The header of RFC 8410: version 0, the algorithm 1.3.101.112, and 32 bytes wrapped twice.
    const HEADER: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ];
    let bytes: Vec<u8> = HEADER.iter().chain(seed).copied().collect();
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        base64(&bytes)
    )
}

/// Bytes in Base64, three of them at a time. 48 bytes need no padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = |three: &[u8]| {
        let whole = three
            .iter()
            .fold(0_usize, |whole, byte| whole << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| char::from(DIGITS[whole >> shift & 63]))
    };
    bytes.chunks_exact(3).flat_map(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_is_made_up_has_the_shape_that_is_documented() {
        let random: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 7 + 3).expect("small"));
        let value = |generator| made(generator, random).open().clone();
        insta::assert_snapshot!(value(Generator::Hex), @"030a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dc");
        insta::assert_snapshot!(value(Generator::Token), @"4URtc2VYr0aIyM696Uj84pDQ0EumSKjn1M01x65Rgi0");
        insta::assert_snapshot!(value(Generator::Uuid), @"030a1118-1f26-4d34-8b42-4950575e656c");
        insta::assert_snapshot!(value(Generator::KeyPair), @r"
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIAMKERgfJi00O0JJUFdeZWxzeoGIj5adpKuyucDHztXc
        -----END PRIVATE KEY-----
        ");
        assert_eq!(made(Generator::Token, [255; 32]).open().len(), 43);
        assert_eq!(made(Generator::Token, [0; 32]).open(), &"0".repeat(43));
    }

    #[test]
    fn credentials_of_a_person_stay_with_the_person() {
        let names = [
            "PATH",
            "HOME",
            "LC_ALL",
            "XDG_RUNTIME_DIR",
            "https_proxy",
            "AWS_SECRET_ACCESS_KEY",
            "GITHUB_TOKEN",
            "NPM_TOKEN",
            "NPM_CONFIG_//registry.example.com/:_authToken",
            "DATABASE_URL",
            "PGPASSWORD",
            "LD_PRELOAD",
            "PATHS",
            "CARGO_REGISTRY_TOKEN",
            "TOWPATH_PRODUCT",
        ];
        let person: Vec<(String, String)> = names.map(|name| (name.to_owned(), "x".to_owned())).to_vec();
        let base: Vec<String> = base(&person).into_keys().collect();
        assert_eq!(base, ["HOME", "LC_ALL", "PATH", "XDG_RUNTIME_DIR", "https_proxy"]);
    }

    #[test]
    fn nothing_is_handed_on_or_given_twice() {
        let mut seen = BTreeSet::new();
        let handed = HANDED_ON.iter().flat_map(|one| one.names.iter().copied());
        for name in handed.chain(GIVEN.iter().map(|one| one.name)) {
            assert!(seen.insert(name), "{name}");
        }
    }
}
