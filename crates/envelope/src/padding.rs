//! Padding that hides how long something is: `PADMÉ` (Nikitin et al., Proceedings on Privacy Enhancing Technologies 2019, §4).

/// What stands behind a file before it is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// Nothing: the files of an envelope for a person.
    None,
    /// Zeros, up to the length that `PADMÉ` gives: the files of an envelope between agents.
    Padme,
}

impl Padding {
    /// How many bytes are sealed of a file of `size` bytes; `None` if it is too long.
    pub const fn padded_len(self, size: u64) -> Option<u64> {
        match self {
            Self::None => Some(size),
            Self::Padme => padded(size),
        }
    }

    /// How many bytes a file of `size` bytes has, sealed; `None` if it is too long.
    pub const fn sealed_len(self, size: u64) -> Option<u64> {
        match self.padded_len(size) {
            Some(padded) => agentdrop_cobblestone::sealed_len(padded),
            None => None,
        }
    }
}

/// What `len` is padded to: at most 12 % more, and telling of the length only its order of
/// magnitude and about as many bits of it again as that has.
pub(crate) const fn padded(len: u64) -> Option<u64> {
    if len < 2 {
        return Some(len);
    }
    let exponent = len.ilog2();
    let zeros = exponent - (exponent.ilog2() + 1);
    let mask = (1 << zeros) - 1;
    match len.checked_add(mask) {
        Some(above) => Some(above & !mask),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_costs_little_and_tells_little() {
        let mut lengths = std::collections::BTreeSet::new();
        for len in 2..100_000 {
            let to = padded(len).unwrap();
            assert!(to >= len && (to - len) * 100 <= len * 12, "{len} to {to}");
            assert_eq!(padded(to), Some(to), "{len}");
            lengths.insert(to);
        }
        assert!(lengths.len() < 400, "{}", lengths.len());
        // The paper's example.
        assert_eq!(padded(9), Some(10));
        assert_eq!(padded(u64::MAX), None);
    }

    #[test]
    fn a_file_is_as_long_as_its_padding_makes_it() {
        assert_eq!(Padding::None.sealed_len(9), Some(56 + 9 + 16));
        assert_eq!(Padding::Padme.sealed_len(9), Some(56 + 10 + 16));
        // Padded to a whole chunk, it has an empty one behind it.
        assert_eq!(Padding::Padme.sealed_len(16_300), Some(56 + 16_384 + 32));
        let longest = (1 << 52) - 1;
        assert!(Padding::None.sealed_len(longest).is_some());
        assert_eq!(Padding::Padme.sealed_len(longest), None);
        for padding in [Padding::None, Padding::Padme] {
            assert_eq!(padding.sealed_len(0), Some(56 + 16));
            assert_eq!(padding.sealed_len(u64::MAX), None);
        }
    }
}
