//! A file of any length that is never in memory, and can be told from any other.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::Path;

use crate::model::Chance;

const PIECE: usize = 64 * 1024;

/// Writes the file that `seed` names.
pub(super) fn write(path: &Path, seed: u64, bytes: u64) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    for piece in pieces(seed, bytes) {
        file.write_all(&piece).unwrap();
    }
    file.flush().unwrap();
}

/// Checks that it is the file that `seed` names, to its last byte: against what makes it, which
/// says more than a digest.
pub(super) fn check(path: &Path, seed: u64, bytes: u64) {
    let mut file = BufReader::new(File::open(path).unwrap());
    let (mut read, mut at) = (vec![0; PIECE], 0);
    for piece in pieces(seed, bytes) {
        let read = &mut read[..piece.len()];
        file.read_exact(read).unwrap();
        assert!(read == piece, "the file differs behind byte {at}");
        at += piece.len();
    }
    assert_eq!(file.read(&mut [0]).unwrap(), 0, "the file is too long");
}

fn pieces(seed: u64, bytes: u64) -> impl Iterator<Item = Vec<u8>> {
    let (mut chance, mut left) = (Chance(seed), bytes);
    std::iter::from_fn(move || {
        let length = usize::try_from(left.min(PIECE as u64)).unwrap();
        left -= length as u64;
        let words = (0..length.div_ceil(8)).flat_map(|_| chance.next().to_le_bytes());
        let mut piece: Vec<u8> = words.collect();
        piece.truncate(length);
        Some(piece).filter(|it| !it.is_empty())
    })
}
