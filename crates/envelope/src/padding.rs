//! Padding that hides how long something is: `PADMÉ` (Nikitin et al., Proceedings on Privacy Enhancing Technologies 2019, §4).

/// What `len` is padded to: at most 12 % more, and telling of the length only its order of
/// magnitude and about as many bits of it again as that has.
pub(crate) const fn padded(len: usize) -> usize {
    if len < 2 {
        return len;
    }
    let exponent = len.ilog2();
    let zeros = exponent - (exponent.ilog2() + 1);
    let mask = (1 << zeros) - 1;
    (len + mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_costs_little_and_tells_little() {
        let mut lengths = std::collections::BTreeSet::new();
        for len in 2..100_000 {
            let to = padded(len);
            assert!(to >= len && (to - len) * 100 <= len * 12, "{len} to {to}");
            lengths.insert(to);
        }
        assert!(lengths.len() < 400, "{}", lengths.len());
        // The paper's example.
        assert_eq!(padded(9), 10);
    }
}
