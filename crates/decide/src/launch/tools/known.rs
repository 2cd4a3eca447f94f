//! The tools that we know by name.

/// A tool: how it is asked for its version, and how people get it.
#[derive(Debug, PartialEq, Eq)]
pub struct Tool {
    /// What people call it, and what `needs` names.
    pub name: &'static str,
    /// What it is called when it is started.
    pub command: &'static str,
    /// What else it is called.
    pub also: &'static [&'static str],
    /// What makes it say its version.
    pub version_argument: &'static str,
    /// The packages of Debian and Ubuntu that it comes in. They have one version, that of the system.
    pub packages: &'static [&'static str],
    /// How else it is got: in other versions, or at all.
    pub otherwise: &'static str,
}

const fn tool(name: &'static str, command: &'static str, also: &'static [&'static str]) -> Tool {
    Tool {
        name,
        command,
        also,
        version_argument: "--version",
        packages: &[],
        otherwise: "",
    }
}

impl Tool {
    const fn packages(mut self, packages: &'static [&'static str]) -> Self {
        self.packages = packages;
        self
    }

    const fn otherwise(mut self, otherwise: &'static str) -> Self {
        self.otherwise = otherwise;
        self
    }

    const fn asked(mut self, argument: &'static str) -> Self {
        self.version_argument = argument;
        self
    }
}

/// Every tool that we know, by name.
pub static KNOWN: &[Tool] = &[
    tool("bun", "bun", &["bunx"]).otherwise("npm install --global bun"),
    tool("bundle", "bundle", &["bundler"])
        .packages(&["ruby-bundler"])
        .otherwise("gem install bundler"),
    tool("cargo", "cargo", &["rust", "rustc"])
        .packages(&["cargo"])
        .otherwise("rustup, from https://rustup.rs"),
    tool("cmake", "cmake", &[]).packages(&["cmake"]),
    tool("composer", "composer", &[]).packages(&["composer"]),
    tool("deno", "deno", &[]).otherwise("cargo install deno, or npm install --global deno"),
    tool("docker", "docker", &[]).packages(&["docker.io"]),
    tool("dotnet", "dotnet", &[])
        .otherwise("the packages of https://learn.microsoft.com/dotnet/core/install/linux"),
    tool("elixir", "elixir", &["mix", "iex"]).packages(&["elixir"]),
    tool("gcc", "gcc", &["cc"]).packages(&["gcc", "libc6-dev"]),
    tool("git", "git", &[]).packages(&["git"]),
    tool("go", "go", &["golang"])
        .asked("version")
        .packages(&["golang-go"])
        .otherwise("an archive of https://go.dev/dl"),
    tool("gradle", "gradle", &[]).packages(&["gradle"]),
    tool("gunicorn", "gunicorn", &[])
        .packages(&["gunicorn"])
        .otherwise("pip install gunicorn"),
    tool("java", "java", &["jdk"]).packages(&["default-jdk-headless"]),
    tool("just", "just", &[]).otherwise("cargo install just"),
    tool("make", "make", &[]).packages(&["make"]),
    tool("maven", "mvn", &[]).packages(&["maven"]),
    tool("node", "node", &["nodejs", "node.js"])
        .packages(&["nodejs"])
        .otherwise("nvm install, or the packages of https://nodejs.org"),
    tool("npm", "npm", &["npx"]).packages(&["npm"]),
    tool("perl", "perl", &[]).packages(&["perl"]),
    tool("pgbouncer", "pgbouncer", &[])
        .packages(&["pgbouncer"])
        .otherwise("https://www.pgbouncer.org"),
    tool("php", "php", &[]).packages(&["php-cli"]),
    tool("pip", "pip3", &["pip"]).packages(&["python3-pip"]),
    tool("pnpm", "pnpm", &["pnpx"]).otherwise("npm install --global pnpm"),
    tool("poetry", "poetry", &[])
        .packages(&["python3-poetry"])
        .otherwise("pipx install poetry"),
    tool("postgres", "postgres", &[])
        .packages(&["postgresql"])
        .otherwise("https://www.postgresql.org/download"),
    tool("python", "python3", &["python3", "python"])
        .packages(&["python3", "python3-venv"])
        .otherwise("uv python install"),
    // The package of the server starts one of its own; the server itself is in this one, too, under another name.
    tool("redis", "redis-server", &["valkey"])
        .packages(&["redis-tools"])
        .otherwise("https://redis.io, or Valkey"),
    tool("ruby", "ruby", &[])
        .packages(&["ruby"])
        .otherwise("rbenv install"),
    tool("sbt", "sbt", &[]).otherwise("the packages of https://www.scala-sbt.org"),
    tool("uv", "uv", &["uvx"]).otherwise("pip install uv"),
    tool("uvicorn", "uvicorn", &[])
        .packages(&["uvicorn"])
        .otherwise("pip install uvicorn"),
    tool("yarn", "yarn", &["yarnpkg"]).otherwise("npm install --global yarn"),
    tool("zig", "zig", &[])
        .asked("version")
        .otherwise("pip install ziglang"),
];

/// The tool of a name, whichever of its names that is.
pub fn find(name: &str) -> Option<&'static Tool> {
    let named = |tool: &&Tool| tool.name == name || tool.command == name || tool.also.contains(&name);
    KNOWN.iter().find(named)
}
