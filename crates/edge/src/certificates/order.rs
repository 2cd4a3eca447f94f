//! One order of a certificate, from the account to the chain. What is about to be done is written down before it is done, so
//! that whoever is killed in the middle goes on from there: with the same account, the same order, the same key.

use std::path::Path;
use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;
use instant_acme::{
    Account, AccountBuilder, AuthorizationStatus, CertificateIdentifier, ChallengeType, Error, Identifier,
    Key, NewOrder, Order, OrderStatus, RetryPolicy,
};
use jiff::Timestamp;
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256, SanType};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use towpath_model::run::{Acme, Challenge};

use super::pair::Pair;
use super::proofs::Proofs;
use super::record::{self, Begun, How, Issued, Proof, Record};
use super::web::Web;
use crate::door::clock;

/// An authority looks within seconds. What takes longer is looked at again later.
const LOOKS: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(60));

/// Why an order did not come to its end.
pub(super) struct Trouble {
    pub(super) how: How,
    pub(super) until: Option<Timestamp>,
    pub(super) why: String,
}

/// What an order is made with.
pub(super) struct Desk<'a> {
    pub(super) acme: &'a Acme,
    pub(super) folder: &'a Path,
    pub(super) domain: &'a str,
    pub(super) proofs: &'a Proofs,
    pub(super) provider: &'a CryptoProvider,
    pub(super) web: Web,
}

impl Desk<'_> {
    /// Orders a certificate, or goes on with the order that was begun. What is written down stays in `kept`.
    pub(super) async fn order(&self, kept: &mut Record) -> Result<Pair, Trouble> {
        let account = self.account().await?;
        let begun = match kept.order.take() {
            Some(begun) => begun,
            None => Begun {
                key: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
                    .map_err(|error| ours("a key cannot be made", &error))?
                    .serialize_pem(),
                address: None,
                proof: None,
            },
        };
        let address = begun.address.clone();
        kept.order = Some(begun);
        self.keep(kept).await?;
        let found = match address {
            Some(address) => account.order(address).await,
            None => {
                let domain = [Identifier::Dns(self.domain.to_owned())];
                account.new_order(&NewOrder::new(&domain)).await
            }
        };
        let mut order = match found {
            Ok(order) => order,
            Err(error) => {
                // An order that nobody knows any more is begun anew.
                if matches!(error, Error::Api(_)) {
                    kept.order = None;
                }
                return Err(self.trouble(error).await);
            }
        };
        if let Some(begun) = &mut kept.order {
            begun.address = Some(order.url().to_owned());
        }
        self.keep(kept).await?;
        match self.finish(&mut order, kept).await {
            Ok(pair) => Ok(pair),
            Err(trouble) => {
                // What has been refused stays so.
                if matches!(order.state().status, OrderStatus::Invalid) || matches!(trouble.how, How::Refused)
                {
                    kept.order = None;
                }
                Err(trouble)
            }
        }
    }

    async fn finish(&self, order: &mut Order, kept: &mut Record) -> Result<Pair, Trouble> {
        if order.state().status == OrderStatus::Pending {
            self.prove(order, kept).await?;
            let looked = order.poll_ready(&LOOKS).await;
            if !matches!(looked, Ok(OrderStatus::Ready)) {
                let why = refusal(order).await;
                return Err(match (why, looked) {
                    (Some(why), _) => refused(why),
                    (None, Err(error)) => self.trouble(error).await,
                    (None, Ok(_)) => refused("it does not say why".to_owned()),
                });
            }
        }
        let key = kept
            .order
            .as_ref()
            .map_or("", |begun| begun.key.as_str())
            .to_owned();
        if order.state().status == OrderStatus::Ready {
            let request =
                request(self.domain, &key).map_err(|error| ours("a request cannot be made", &error))?;
            if let Err(error) = order.finalize_csr(&request).await {
                return Err(self.trouble(error).await);
            }
        }
        let chain = match order.state().status {
            OrderStatus::Valid => order.certificate().await.map(Option::unwrap_or_default),
            _ => order.poll_certificate(&LOOKS).await,
        };
        let chain = match chain {
            Ok(chain) => chain,
            Err(error) => return Err(self.trouble(error).await),
        };
        let pair = Pair::read(&chain, &key, self.provider)
            .map_err(|why| refused(format!("what it has handed out is of no use: {why}")))?;
        kept.issued = Some(Issued {
            chain,
            key,
            at: clock::today(),
            suggested: None,
            ask_again: None,
        });
        kept.order = None;
        kept.failure = None;
        self.keep(kept).await?;
        Ok(pair)
    }

    /// Shows that the domain is ours, in the way that is said or in the other one than last time.
    async fn prove(&self, order: &mut Order, kept: &mut Record) -> Result<(), Trouble> {
        let failures = kept.failure.as_ref().map_or(0, |failure| failure.times);
        let first = match self.acme.challenge {
            Some(Challenge::Http) => ChallengeType::Http01,
            Some(Challenge::Tls) => ChallengeType::TlsAlpn01,
            None if failures % 2 == 1 => ChallengeType::TlsAlpn01,
            None => ChallengeType::Http01,
        };
        let mut authorizations = order.authorizations();
        while let Some(found) = authorizations.next().await {
            let mut found = match found {
                Ok(found) => found,
                Err(error) => return Err(self.trouble(error).await),
            };
            if found.status != AuthorizationStatus::Pending {
                continue;
            }
            let offered = |kind: &ChallengeType| found.challenges.iter().any(|one| one.r#type == *kind);
            let other = [ChallengeType::Http01, ChallengeType::TlsAlpn01];
            let kinds = std::iter::once(first.clone())
                .chain(other.into_iter().filter(|_| self.acme.challenge.is_none()));
            let kind = kinds.into_iter().find(offered);
            let kind =
                kind.ok_or_else(|| refused("it offers no way to show that the domain is ours".to_owned()))?;
            let Some(mut challenge) = found.challenge(kind.clone()) else {
                continue;
            };
            let answer = challenge.key_authorization().as_str().to_owned();
            let proof = match kind {
                ChallengeType::TlsAlpn01 => Proof::Tls { answer },
                _ => Proof::Http {
                    token: challenge.token.clone(),
                    answer,
                },
            };
            self.proofs
                .show(self.domain, &proof)
                .map_err(|why| ours("a proof cannot be made", &why))?;
            if let Some(begun) = &mut kept.order {
                begun.proof = Some(proof);
            }
            self.keep(kept).await?;
            if let Err(error) = challenge.set_ready().await {
                return Err(self.trouble(error).await);
            }
        }
        Ok(())
    }

    /// The account. Its key is on the disk before anybody hears of it, and an authority that is told of the same key twice
    /// says that it knows it.
    async fn account(&self) -> Result<Account, Trouble> {
        let path = record::of_account(self.folder, &self.acme.directory);
        let unreadable = |error: std::io::Error| ours("the account cannot be read", &error);
        let kept: Option<record::Account> = record::read(&path).map_err(unreadable)?;
        let kept = kept.filter(|kept| kept.directory == self.acme.directory);
        let mut kept = match kept {
            Some(kept) => kept,
            None => {
                let (_, der) = Key::generate_pkcs8().map_err(|error| ours("a key cannot be made", &error))?;
                let made = record::Account {
                    directory: self.acme.directory.clone(),
                    key: URL_SAFE_NO_PAD.encode_to_string(der.secret_pkcs8_der()),
                    credentials: None,
                };
                record::write(&path, &made).await.map_err(unwritten)?;
                made
            }
        };
        let http = || Account::builder_with_http(Box::new(self.web.clone()));
        if let Some(credentials) = &kept.credentials
            && let Ok(credentials) = serde_json::from_value(credentials.clone())
        {
            return match http().from_credentials(credentials).await {
                Ok(account) => Ok(account),
                Err(error) => Err(self.trouble(error).await),
            };
        }
        let (account, credentials) = match self.first(http(), &kept.key).await {
            Ok(made) => made,
            Err(error) => return Err(self.trouble(error).await),
        };
        kept.credentials = serde_json::to_value(credentials).ok();
        record::write(&path, &kept).await.map_err(unwritten)?;
        Ok(account)
    }

    async fn first(
        &self,
        http: AccountBuilder,
        key: &str,
    ) -> Result<(Account, instant_acme::AccountCredentials), Error> {
        let der = URL_SAFE_NO_PAD
            .decode_to_vec(key)
            .map_err(|_| Error::KeyRejected)?;
        let der = PrivatePkcs8KeyDer::from(der);
        let key = Key::from_pkcs8_der(der.clone_key())?;
        let directory = self.acme.directory.clone();
        http.create_from_key((key, PrivateKeyDer::Pkcs8(der)), directory)
            .await
    }

    /// When the authority wants a certificate to be renewed, and when it may be asked again; nothing where it says nothing.
    pub(super) async fn suggestion(&self, chain: &str, share: u64) -> Option<(Timestamp, Timestamp)> {
        let certificate = CertificateDer::from_pem_slice(chain.as_bytes()).ok()?;
        let mark = CertificateIdentifier::try_from(&certificate).ok()?;
        let account = self.account().await.ok()?;
        let (said, again) = account.renewal_info(&mark).await.ok()?;
        let window = said.suggested_window;
        let (start, end) = (window.start.unix_timestamp(), window.end.unix_timestamp());
        let width = u64::try_from(end.saturating_sub(start)).unwrap_or(0).max(1);
        let within = i64::try_from(share % width).unwrap_or(0);
        let again = jiff::SignedDuration::try_from(again).ok()?;
        let again = again.clamp(SOONEST, LATEST);
        let at = Timestamp::from_second(start.saturating_add(within)).ok()?;
        Some((at, clock::today().checked_add(again).ok()?))
    }

    /// Writes down how things stand.
    pub(super) async fn keep(&self, kept: &Record) -> Result<(), Trouble> {
        let path = record::of_domain(self.folder, self.domain);
        record::write(&path, kept).await.map_err(unwritten)
    }

    /// What an error of the authority's means.
    async fn trouble(&self, error: Error) -> Trouble {
        let until = self.web.come_back();
        let Error::Api(problem) = &error else {
            return Trouble {
                how: How::Unreached,
                until,
                why: words(&error),
            };
        };
        let kind = problem.r#type.as_deref().unwrap_or_default();
        let kind = kind.rsplit(':').next().unwrap_or_default();
        if kind == "accountDoesNotExist" {
            self.forget_account().await;
        }
        let how = match kind {
            "rateLimited" => How::Limited,
            "badNonce" | "serverInternal" | "accountDoesNotExist" => How::Unreached,
            _ if problem.status.is_some_and(|status| status >= 500) => How::Unreached,
            _ => How::Refused,
        };
        Trouble {
            how,
            until,
            why: problem.detail.clone().unwrap_or_else(|| words(&error)),
        }
    }

    /// An authority that has lost our account is told of the same key again.
    async fn forget_account(&self) {
        let path = record::of_account(self.folder, &self.acme.directory);
        if let Ok(Some(mut kept)) = record::read::<record::Account>(&path) {
            kept.credentials = None;
            // Where it cannot be written the next try ends here as well, and is told.
            let _ = record::write(&path, &kept).await;
        }
    }
}

/// An authority is not asked more often than this for when it wants a renewal, and not less often.
const SOONEST: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);
const LATEST: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// Why the authority does not find the domain to be ours, as far as it says so.
async fn refusal(order: &mut Order) -> Option<String> {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut found)) = authorizations.next().await {
        let Ok(state) = found.refresh().await else {
            continue;
        };
        let told = state.challenges.iter().find_map(|one| one.error.as_ref());
        if let Some(told) = told {
            return Some(told.detail.clone().unwrap_or_else(|| told.to_string()));
        }
    }
    None
}

/// What is asked to be signed.
fn request(domain: &str, key: &str) -> Result<Vec<u8>, rcgen::Error> {
    let key = KeyPair::from_pem(key)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.subject_alt_names = vec![SanType::DnsName(domain.try_into()?)];
    Ok(params.serialize_request(&key)?.der().to_vec())
}

fn refused(why: String) -> Trouble {
    Trouble {
        how: How::Refused,
        until: None,
        why,
    }
}

fn ours(what: &str, why: &dyn std::fmt::Display) -> Trouble {
    Trouble {
        how: How::Unreached,
        until: None,
        why: format!("{what}: {why}"),
    }
}

fn unwritten(error: std::io::Error) -> Trouble {
    ours("what is about to be done cannot be written down", &error)
}

/// An error with what led to it.
fn words(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    text
}
