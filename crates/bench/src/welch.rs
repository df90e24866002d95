//! Whether two ways of doing something take as long, as far as can be told from times.

/// Times in microseconds, less the slowest tenth, which are the machine's.
pub(crate) struct Sample {
    size: f64,
    pub(crate) median: f64,
    pub(crate) mean: f64,
    variance: f64,
}

impl Sample {
    /// Of at least three times.
    pub(crate) fn of(mut times: Vec<f64>) -> Option<Self> {
        times.sort_by(f64::total_cmp);
        times.truncate(times.len() * 9 / 10);
        let median = *times.get(times.len() / 2)?;
        let size = f64::from(u32::try_from(times.len()).ok()?);
        let mean = times.iter().sum::<f64>() / size;
        let squares = times.iter().map(|it| (it - mean).powi(2));
        (size > 1.0).then(|| Self {
            size,
            median,
            mean,
            variance: squares.sum::<f64>() / (size - 1.0),
        })
    }

    /// Welch's t of the two means: far from zero, they are not of one kind.
    pub(crate) fn t(&self, other: &Self) -> f64 {
        let spread = self.variance / self.size + other.variance / other.size;
        (self.mean - other.mean) / spread.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_tenth_does_not_count() {
        let with = |slowest| Sample::of(vec![slowest, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        let (one, other) = (with(10.0).unwrap(), with(1e9).unwrap());
        for it in [&one, &other] {
            let found = [it.median, it.mean, it.variance].map(Some);
            assert_eq!(found, [5.0, 5.0, 7.5].map(Some));
        }
        assert_eq!(Some(one.t(&other)), Some(0.0));
    }

    #[test]
    fn what_takes_longer_has_a_large_t() {
        let of = |more: f64| Sample::of((0..100).map(|it| f64::from(it % 10) + more).collect());
        let (fast, slow) = (of(0.0).unwrap(), of(2.0).unwrap());
        // 90 of each that count, 2 apart, each with a variance near 6.7.
        assert!(slow.t(&fast) > 4.5, "{}", slow.t(&fast));
        assert_eq!(Some(slow.t(&fast)), Some(-fast.t(&slow)));
    }

    #[test]
    fn of_next_to_nothing_there_is_no_sample() {
        for times in [vec![], vec![1.0], vec![1.0, 2.0]] {
            assert!(Sample::of(times).is_none());
        }
    }
}
