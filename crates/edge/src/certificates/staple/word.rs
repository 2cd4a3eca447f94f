//! What a responder is asked about a certificate, and whether what it answers is the word of who has signed that (RFC 6960).
//!
//! **Whom we believe.** The one that has signed the certificate, or somebody with a certificate of that one that says that it
//! may give such words. Nobody else: the answer comes over plain HTTP, and from wherever the name leads.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use jiff::{SignedDuration, Timestamp};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use towpath_decide::certificate::staple::Word;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::der::{BITS, ENUMERATED, INTEGER, NAME, NULL, OCTETS, Pieces, SEQUENCE, part, piece};

/// `sha1`, as it stands in a question. It tells certificates apart and proves nothing; every responder knows it.
const SHA1: &[u8] = &[0x2B, 0x0E, 0x03, 0x02, 0x1A];

/// `id-pkix-ocsp-basic`, the kind of answer that there is.
const BASIC: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];

/// How far clocks differ where nothing is wrong with them.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A certificate that somebody is asked about, and who has signed it.
pub(super) struct Subject<'a> {
    issuer: X509Certificate<'a>,
    name_hash: Vec<u8>,
    key_hash: Vec<u8>,
    serial: &'a [u8],
}

/// Why an answer is no word that it is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The responder does not say that.
    Says(&'static str),
    /// The certificate was taken back.
    Revoked,
}

impl<'a> Subject<'a> {
    /// Of the first certificate of a chain; nothing where the one that has signed it is not in there.
    pub(super) fn of(chain: &'a [CertificateDer<'static>]) -> Option<Subject<'a>> {
        let [own, above, ..] = chain else {
            return None;
        };
        let (_, own) = X509Certificate::from_der(own).ok()?;
        let (_, issuer) = X509Certificate::from_der(above).ok()?;
        let hash = |bytes: &[u8]| digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec();
        let (_, key) = key_of(&issuer)?;
        Some(Subject {
            name_hash: hash(own.issuer().as_raw()),
            key_hash: hash(key),
            serial: own.raw_serial(),
            issuer,
        })
    }

    /// The question.
    pub(super) fn question(&self) -> Vec<u8> {
        let algorithm = piece(SEQUENCE, &[&piece(NAME, &[SHA1]), &piece(NULL, &[])]);
        let id = piece(
            SEQUENCE,
            &[
                &algorithm,
                &piece(OCTETS, &[&self.name_hash]),
                &piece(OCTETS, &[&self.key_hash]),
                &piece(INTEGER, &[self.serial]),
            ],
        );
        (0..4).fold(id, |inside, _| piece(SEQUENCE, &[&inside]))
    }

    /// The word in an answer, if it is one that may be handed on now.
    pub(super) fn word(
        &self,
        answer: &[u8],
        now: Timestamp,
        provider: &CryptoProvider,
    ) -> Result<Word, Wrong> {
        let broken = Wrong::Says("something that cannot be read");
        let basic = basic(answer)?;
        let mut signed = Pieces::of(basic).open(SEQUENCE).ok_or(broken.clone())?;
        let told = signed.next().ok_or(broken.clone())?;
        let sealed = (
            signed.take(SEQUENCE).ok_or(broken.clone())?,
            signed.take(BITS).and_then(bytes).ok_or(broken.clone())?,
        );
        let helpers = signed.open_if(part(0)).and_then(|mut all| all.open(SEQUENCE));
        if !self.is_signed(told.whole, sealed, helpers, now, provider) {
            return Err(Wrong::Says("something that its authority has not signed"));
        }
        let mut told = Pieces::of(told.inside);
        let _version = told.open_if(part(0));
        let _responder = told.next();
        told.time().ok_or(broken.clone())?;
        let mut answers = told.open(SEQUENCE).ok_or(broken)?;
        while let Some(mut one) = answers.open(SEQUENCE) {
            if one.open(SEQUENCE).is_some_and(|id| self.is_meant(id)) {
                return said(one, now);
            }
        }
        Err(Wrong::Says("nothing of this certificate"))
    }

    /// Whether it is this certificate that is spoken of.
    fn is_meant(&self, mut id: Pieces<'_>) -> bool {
        let algorithm = id.open(SEQUENCE).and_then(|mut algorithm| algorithm.take(NAME));
        algorithm == Some(SHA1)
            && id.take(OCTETS) == Some(self.name_hash.as_slice())
            && id.take(OCTETS) == Some(self.key_hash.as_slice())
            && id.take(INTEGER) == Some(self.serial)
    }

    /// Whether the one that has signed the certificate has signed this, or somebody that it lets speak.
    fn is_signed(
        &self,
        message: &[u8],
        sealed: (&[u8], &[u8]),
        helpers: Option<Pieces<'_>>,
        now: Timestamp,
        provider: &CryptoProvider,
    ) -> bool {
        if is_sealed(&self.issuer, message, sealed, provider) {
            return true;
        }
        let Some(mut helpers) = helpers else {
            return false;
        };
        while let Some(helper) = helpers.next() {
            if let Ok((_, certificate)) = X509Certificate::from_der(helper.whole)
                && self.lets_speak(helper.whole, &certificate, now, provider)
                && is_sealed(&certificate, message, sealed, provider)
            {
                return true;
            }
        }
        false
    }

    fn lets_speak(
        &self,
        whole: &[u8],
        certificate: &X509Certificate<'_>,
        now: Timestamp,
        provider: &CryptoProvider,
    ) -> bool {
        let usage = certificate.extended_key_usage().ok().flatten();
        let validity = certificate.validity();
        let (from, until) = (validity.not_before.timestamp(), validity.not_after.timestamp());
        let parts = || {
            let mut parts = Pieces::of(whole).open(SEQUENCE)?;
            let told = parts.next()?;
            Some((told.whole, (parts.take(SEQUENCE)?, bytes(parts.take(BITS)?)?)))
        };
        usage.is_some_and(|usage| usage.value.ocsp_signing)
            && (from..=until).contains(&now.as_second())
            && certificate.issuer().as_raw() == self.issuer.subject().as_raw()
            && parts().is_some_and(|(told, sealed)| is_sealed(&self.issuer, told, sealed, provider))
    }
}

/// What is said in an answer, as bytes that are signed.
fn basic(answer: &[u8]) -> Result<&[u8], Wrong> {
    let broken = Wrong::Says("something that is no answer");
    let mut answer = Pieces::of(answer).open(SEQUENCE).ok_or(broken.clone())?;
    match answer.take(ENUMERATED) {
        Some([0]) => {}
        Some([1]) => return Err(Wrong::Says("that it does not understand")),
        Some([2 | 3]) => return Err(Wrong::Says("that it cannot answer now")),
        Some([6]) => return Err(Wrong::Says("that it does not know this authority")),
        Some(_) => return Err(Wrong::Says("that it does not answer")),
        None => return Err(broken),
    }
    let bytes = answer.open(part(0)).and_then(|mut bytes| bytes.open(SEQUENCE));
    let mut bytes = bytes.ok_or(broken.clone())?;
    if bytes.take(NAME) != Some(BASIC) {
        return Err(broken);
    }
    bytes.take(OCTETS).ok_or(broken)
}

/// What is said of one certificate.
fn said(mut one: Pieces<'_>, now: Timestamp) -> Result<Word, Wrong> {
    let status = one.next().map(|piece| piece.tag);
    let begins = one.time();
    let ends = one.open_if(part(0)).and_then(|mut until| until.time());
    match status {
        Some(0x80) => {}
        Some(0xA1) => return Err(Wrong::Revoked),
        _ => return Err(Wrong::Says("that it does not know this certificate")),
    }
    let (Some(begins), Some(ends)) = (begins, ends) else {
        return Err(Wrong::Says("something without saying until when it holds"));
    };
    if begins > now.checked_add(SKEW).unwrap_or(Timestamp::MAX) {
        return Err(Wrong::Says("something that holds only later"));
    }
    if ends <= now || ends <= begins {
        return Err(Wrong::Says("something that does not hold any more"));
    }
    Ok(Word { begins, ends })
}

/// The kind of a key, and the key.
fn key_of<'a>(certificate: &X509Certificate<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let mut key = Pieces::of(certificate.tbs_certificate.subject_pki.raw).open(SEQUENCE)?;
    Some((key.take(SEQUENCE)?, bytes(key.take(BITS)?)?))
}

/// Bits that are whole bytes.
fn bytes(bits: &[u8]) -> Option<&[u8]> {
    bits.split_first()
        .filter(|(spare, _)| **spare == 0)
        .map(|(_, bytes)| bytes)
}

/// Whether the key of a certificate has signed this.
fn is_sealed(
    certificate: &X509Certificate<'_>,
    message: &[u8],
    (algorithm, seal): (&[u8], &[u8]),
    provider: &CryptoProvider,
) -> bool {
    let Some((kind, key)) = key_of(certificate) else {
        return false;
    };
    let all = provider.signature_verification_algorithms.all.iter();
    let mut fitting = all.filter(|one| {
        one.signature_alg_id().as_ref() == algorithm && one.public_key_alg_id().as_ref() == kind
    });
    fitting.any(|one| one.verify_signature(key, message, seal).is_ok())
}
