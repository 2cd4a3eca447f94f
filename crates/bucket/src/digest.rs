//! Digests of content: the MD5 that an entity tag is, and the check sums that clients ask for.

use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::{Checksum, ChecksumAlgorithm};
use serde::{Deserialize, Serialize};

/// A check sum of an object or of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sum {
    /// Its algorithm, as S3 names it.
    pub(crate) algorithm: String,
    /// The sum in base64; behind a dash the number of parts, where it is one of their sums.
    pub(crate) value: String,
    /// It is over the whole content, and not over the sums of parts.
    pub(crate) whole: bool,
}

/// Sets the field of an answer that belongs to a check sum.
macro_rules! tell_sum {
    ($output:expr, $sum:expr) => {
        if let Some(sum) = $sum {
            let value = Some(sum.value.clone());
            match sum.algorithm.as_str() {
                "CRC32" => $output.checksum_crc32 = value,
                "CRC32C" => $output.checksum_crc32c = value,
                "CRC64NVME" => $output.checksum_crc64nvme = value,
                "SHA1" => $output.checksum_sha1 = value,
                "SHA256" => $output.checksum_sha256 = value,
                _ => {}
            }
        }
    };
}
pub(crate) use tell_sum;

/// The check sum that is given in a request, with its algorithm.
macro_rules! given_sum {
    ($input:expr) => {
        [
            ("CRC32", &$input.checksum_crc32),
            ("CRC32C", &$input.checksum_crc32c),
            ("CRC64NVME", &$input.checksum_crc64nvme),
            ("SHA1", &$input.checksum_sha1),
            ("SHA256", &$input.checksum_sha256),
        ]
        .into_iter()
        .find_map(|(algorithm, value)| Some((algorithm.to_owned(), value.clone()?)))
    };
}
pub(crate) use given_sum;

/// What is added up while content goes by.
pub(crate) struct Digests {
    tag: Md5,
    sums: ChecksumHasher,
    algorithm: &'static str,
}

impl Digests {
    /// Digests with the check sum of this algorithm. What nobody asks for is CRC64NVME, as S3 itself does.
    pub(crate) fn new(algorithm: Option<&str>) -> Self {
        let algorithm = algorithm.and_then(known).unwrap_or("CRC64NVME");
        let mut sums = ChecksumHasher::default();
        match algorithm {
            "CRC32" => sums.crc32 = Some(Crc32::new()),
            "CRC32C" => sums.crc32c = Some(Crc32c::new()),
            "SHA1" => sums.sha1 = Some(Sha1::new()),
            "SHA256" => sums.sha256 = Some(Sha256::new()),
            _ => sums.crc64nvme = Some(Crc64Nvme::new()),
        }
        Digests {
            tag: Md5::new(),
            sums,
            algorithm,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.tag.update(bytes);
        self.sums.update(bytes);
    }

    /// The MD5, and the check sum.
    pub(crate) fn finish(self) -> ([u8; 16], Sum) {
        let value = value_of(self.sums.finalize());
        let sum = Sum {
            algorithm: self.algorithm.to_owned(),
            value,
            whole: true,
        };
        (self.tag.finalize(), sum)
    }
}

fn value_of(sums: Checksum) -> String {
    let found = sums
        .checksum_crc32
        .or(sums.checksum_crc32c)
        .or(sums.checksum_sha1);
    let found = found.or(sums.checksum_sha256).or(sums.checksum_crc64nvme);
    found.unwrap_or_default()
}

/// The name of an algorithm that we know.
pub(crate) fn known(name: &str) -> Option<&'static str> {
    ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(name))
}

/// The entity tag of an object of several parts: the MD5 of their MD5s.
pub(crate) fn tag_of_parts(tags: &[String]) -> String {
    let mut whole = Md5::new();
    for tag in tags {
        whole.update(&unhex(tag));
    }
    format!("{}-{}", hex(&whole.finalize()), tags.len())
}

/// The check sum of an object of several parts, over all of it or over the sums of its parts. `None` where a part has none of
/// this algorithm, or where the whole cannot be known from the parts.
pub(crate) fn sum_of_parts(algorithm: &str, whole: bool, parts: &[(Option<Sum>, u64)]) -> Option<Sum> {
    let mut raw = Vec::new();
    for (sum, length) in parts {
        let sum = sum.as_ref().filter(|sum| sum.algorithm == algorithm)?;
        raw.push((base64_simd::STANDARD.decode_to_vec(&sum.value).ok()?, *length));
    }
    let value = if whole {
        combine(algorithm, &raw)?
    } else {
        let mut digests = Digests::new(Some(algorithm));
        raw.iter().for_each(|(sum, _)| digests.update(sum));
        format!("{}-{}", digests.finish().1.value, raw.len())
    };
    Some(Sum {
        algorithm: algorithm.to_owned(),
        value,
        whole,
    })
}

fn combine(algorithm: &str, parts: &[(Vec<u8>, u64)]) -> Option<String> {
    let (kind, length) = match algorithm {
        "CRC32" => (crc_fast::CrcAlgorithm::Crc32IsoHdlc, 4),
        "CRC32C" => (crc_fast::CrcAlgorithm::Crc32Iscsi, 4),
        "CRC64NVME" => (crc_fast::CrcAlgorithm::Crc64Nvme, 8),
        _ => return None,
    };
    let number = |sum: &[u8]| {
        sum.iter()
            .fold(0, |number, byte| (number << 8) | u64::from(*byte))
    };
    let mut parts = parts.iter();
    let first = parts.next()?;
    let whole = parts.fold(number(&first.0), |whole, (sum, length)| {
        crc_fast::checksum_combine(kind, whole, number(sum), *length)
    });
    Some(base64_simd::STANDARD.encode_to_string(&whole.to_be_bytes()[8 - length..]))
}

/// The algorithm that a client names.
pub(crate) fn algorithm(named: &Option<ChecksumAlgorithm>) -> Option<&'static str> {
    known(named.as_ref()?.as_str())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| {
        text.get(at..at + 2)
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
    };
    (0..text.len() / 2).filter_map(|at| digit(2 * at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(algorithm: &str, text: &[u8]) -> Sum {
        let mut digests = Digests::new(Some(algorithm));
        digests.update(text);
        digests.finish().1
    }

    #[test]
    fn a_sum_over_parts_is_the_sum_of_the_whole() {
        for algorithm in ["CRC32", "CRC32C", "CRC64NVME"] {
            let parts = [b"one boat ".as_slice(), b"and ", b"another"];
            let parts: Vec<_> = parts
                .iter()
                .map(|text| (Some(sum(algorithm, text)), text.len() as u64))
                .collect();
            let whole = sum_of_parts(algorithm, true, &parts).unwrap();
            assert_eq!(whole, sum(algorithm, b"one boat and another"));
        }
    }

    #[test]
    fn a_sum_of_sums_says_of_how_many() {
        let parts = [(Some(sum("SHA256", b"a")), 1), (Some(sum("SHA256", b"b")), 1)];
        let composed = sum_of_parts("SHA256", false, &parts).unwrap();
        assert!(composed.value.ends_with("-2") && !composed.whole);
        assert_eq!(sum_of_parts("SHA256", true, &parts), None);
        assert_eq!(sum_of_parts("CRC32", false, &parts), None);
    }

    #[test]
    fn a_known_sum() {
        // The check value that the definition of each is published with.
        let check = |algorithm| sum(algorithm, b"123456789").value;
        let base64 = |bytes: &[u8]| base64_simd::STANDARD.encode_to_string(bytes);
        assert_eq!(check("CRC32"), base64(&0xcbf4_3926_u32.to_be_bytes()));
        assert_eq!(check("CRC32C"), base64(&0xe306_9283_u32.to_be_bytes()));
        assert_eq!(
            check("CRC64NVME"),
            base64(&0xae8b_1486_0a79_9888_u64.to_be_bytes())
        );
    }

    #[test]
    fn hex_goes_both_ways() {
        assert_eq!(hex(&[0, 171, 255]), "00abff");
        assert_eq!(unhex("00abff"), [0, 171, 255]);
        assert_eq!(tag_of_parts(&[hex(&Md5::checksum(b"a"))]).len(), 34);
    }
}
