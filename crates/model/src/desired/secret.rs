//! Secrets, environment variables and flags.

use super::component::ToEnvironment;
use super::place::ToHost;
use crate::unit::{Duration, Name, Schedule, VarName};
use crate::word::{Map, Ref};
use crate::{choice, table, target};

target! {
    /// A secret.
    ToSecret = ["secret"];
    /// A flag.
    ToFlag = ["flag"];
}

choice! {
    /// How a value is made where nobody gives one.
    Generator
    /// 64 hex characters, as `openssl rand -hex 32` prints them.
    Hex = "hex";
    /// 43 letters and digits.
    Token = "token";
    /// A UUID.
    Uuid = "uuid";
    /// A key pair for signatures: an Ed25519 key as PEM.
    KeyPair = "key-pair";
}

choice! {
    /// How a value reaches a component.
    Delivery
    /// As an environment variable.
    Variable = "variable";
    /// As a file that only the component can read; the variable holds its path.
    File = "file";
}

table! {
    /// An environment variable of a component: where its value comes from, and what it is for. A bare text is its value.
    Variable { short [value] }
    /// The value. `secret:NAME` takes it from a secret, `from:api.url` from something with an address (or its `host`, `port`, or `public` address), `flag:NAME` from a flag. Without one it is looked for in `.env.ENVIRONMENT` and `.env` beside the manifest.
    value: Option<String> { eg "info" };
    /// The component does not start without it.
    required: bool = true;
    /// What it is for.
    about: Option<String> { eg "How much is logged" };
    /// A value as it might be.
    example: Option<String> { eg "debug" };
    /// How a value is made where nobody gives one. One name has one value in an environment.
    generate: Option<Generator> { eg "hex" };
    /// Only in these environments.
    only: Vec<Ref<ToEnvironment>> { eg "dev" };
    /// How it reaches the component.
    deliver: Delivery = Delivery::Variable;
    /// Foreseen, but not used yet.
    future: bool = false;
}

choice! {
    /// Where the values of secrets are kept.
    Keeper
    /// In Towpath's own sealed store.
    Sealed = "sealed";
    /// In a `.env` file that git does not track, for development.
    Dotenv = "dotenv";
    /// In HashiCorp Vault.
    Vault = "vault";
    /// In Azure Key Vault.
    AzureKeyVault = "azure-key-vault";
    /// In AWS Secrets Manager.
    AwsSecrets = "aws-secrets";
    /// In the hosting provider's store.
    Provider = "provider";
    /// In the secrets of the CI.
    Ci = "ci";
}

table! {
    /// Something that must not be known. Its value never stands in the manifest; each environment has its own.
    Secret {}
    /// What it opens.
    about: Option<String> { eg "Bot token" };
    /// Where its value is kept, where that is not the environment's store.
    keeper: Option<Keeper> { eg "vault" };
    /// How a value is made where nobody gives one.
    generate: Option<Generator> { eg "hex" };
    /// When it is replaced.
    rotate: Option<Schedule> { eg "quarterly" };
    /// How long the old value is accepted beside the new one: both are delivered, as `NAME` and `NAME_PREVIOUS`.
    overlap: Option<Duration> { eg "24h" };
    /// It never leaves a key service or hardware module; components ask there.
    hardware: bool = false;
    /// When the keys that encrypt data are wrapped anew.
    rewrap: Option<Schedule> { eg "quarterly" };
    /// Only these environments have it.
    only: Vec<Ref<ToEnvironment>> { eg "prod" };
    /// The same value in all environments.
    shared: bool = false;
    /// It opens a session of which there may be only one.
    session: bool = false;
    /// It lives for minutes and is fetched for each deployment, by the CI's own identity.
    short_lived: bool = false;
    /// Foreseen, but not used yet.
    future: bool = false;
    /// A copy is kept, encrypted, for the day on which all else is lost.
    escrow: Option<String> { eg "team password manager" };
    /// Where it comes from, for whoever has to fetch it.
    source: Option<String> { eg "Discord developer portal" };
}

table! {
    /// How secrets are kept.
    Secrets { short [keeper] }
    /// Where their values are kept.
    keeper: Keeper = Keeper::Sealed;
    /// The host of an outside store.
    at: Option<Ref<ToHost>> { eg "vault" };
    /// The name of the store there.
    store: Option<String> { eg "synapse-secrets" };
    /// How an encrypted copy for the day on which all else is lost is kept.
    escrow: Option<String> { eg "team password manager" };
}

table! {
    /// A switch. Its default is the safe side, and holds when nothing can be asked.
    Flag { short [default] }
    /// What is on when it is on.
    about: Option<String> { eg "Fall back to a second vendor" };
    /// Its value where nothing else is said: the safe one.
    default: bool = false;
    /// Its value in an environment, where it is another.
    env: Map<Name, bool> { eg "{ dev = true }" };
    /// A kill switch: while it is on, something is off.
    kill: bool = false;
    /// What a kill switch turns off, or what a rollback that the schema forbids can turn off instead.
    guards: Vec<Ref<super::component::ToComponent>> { eg "scorer" };
    /// The variable under which every component that runs sees it, as `true` or `false`.
    as_env: Option<VarName> { eg "HEURISTICS_ONLY" };
    /// Who decides about it.
    owner: Option<String>;
    /// When it has served its purpose and goes.
    until: Option<crate::unit::Date> { eg "2027-03-01" };
}
