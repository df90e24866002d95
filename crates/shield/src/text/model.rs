//! A linear model of how those write who want something from a machine: further evidence, in the
//! languages that it was shown.
//!
//! The weights are data, made by `agentdrop-bench shield-train`.

use crate::error::ScanError;

/// How many weights there are.
pub(crate) const BUCKETS: usize = (128 << 10) - HEAD;

/// Four letters, how many weights, and how much one of them is.
const HEAD: usize = 12;

const MARK: &[u8; 4] = b"ADM1";

#[derive(Debug)]
pub(crate) struct Model {
    scale: f32,
    weights: &'static [u8],
}

impl Model {
    pub(crate) fn load(bytes: &'static [u8]) -> Result<Self, ScanError> {
        let wrong = || ScanError::Rules {
            file: "model".to_owned(),
            why: "it is not a model of this version".to_owned(),
        };
        let (mark, rest) = bytes.split_first_chunk::<4>().ok_or_else(wrong)?;
        let (count, rest) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
        let (scale, weights) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
        if mark != MARK
            || u32::from_le_bytes(*count) as usize != BUCKETS
            || weights.len() != BUCKETS
        {
            return Err(wrong());
        }
        Ok(Self {
            scale: f32::from_le_bytes(*scale),
            weights,
        })
    }

    /// How a folded text reads: above 0 as an attack, below as anything else, near 0 as nothing known.
    pub(crate) fn logit(&self, text: &str) -> f32 {
        let (mut sum, mut count) = (0.0_f32, 0_u16);
        features(text, |it| {
            let weight = self
                .weights
                .get(it as usize)
                .map_or(0, |it| it.cast_signed());
            sum += f32::from(weight);
            count = count.saturating_add(1);
        });
        sum * self.scale / f32::from(count.max(1)).sqrt()
    }
}

/// Weights as they are kept: a byte each.
#[cfg(feature = "training")]
pub(crate) fn pack(weights: &[f32]) -> Vec<u8> {
    let most = weights.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
    let scale = most / 127.0;
    let count = u32::try_from(BUCKETS).unwrap_or(u32::MAX);
    let mut bytes = [&MARK[..], &count.to_le_bytes(), &scale.to_le_bytes()].concat();
    bytes.extend(weights.iter().map(|it| byte(it / scale).cast_unsigned()));
    bytes
}

/// The nearest whole number, of those that fit.
#[cfg(feature = "training")]
fn byte(weight: f32) -> i8 {
    let all = i8::MIN..=i8::MAX;
    let away = |it: &i8| (f32::from(*it) - weight).abs();
    all.min_by(|one, other| away(one).total_cmp(&away(other)))
        .unwrap_or(0)
}

/// What the model looks at: words, pairs of words, and pairs of signs where words have no spaces.
pub(crate) fn features(text: &str, mut take: impl FnMut(u32)) {
    let mut before = 0_u32;
    for word in text.split(|it: char| !it.is_alphanumeric()) {
        if word.is_empty() {
            continue;
        }
        let is_number = word.bytes().all(|it| it.is_ascii_digit());
        let hash = hash(if is_number { "0" } else { word }.bytes());
        take(bucket(hash));
        if before != 0 {
            take(bucket(
                before.rotate_left(5) ^ hash.wrapping_mul(0x9E37_79B9),
            ));
        }
        before = hash;
        if !word.is_ascii() && word.chars().count() > 6 {
            pairs(word, &mut take);
        }
    }
}

fn pairs(word: &str, take: &mut impl FnMut(u32)) {
    let mut before = '\0';
    for it in word.chars() {
        if before != '\0' {
            let code = u32::from(before).wrapping_mul(0x0100_0193) ^ u32::from(it);
            take(bucket(code.wrapping_mul(0x85EB_CA6B)));
        }
        before = it;
    }
}

fn hash(bytes: impl Iterator<Item = u8>) -> u32 {
    let sum = bytes.fold(0x811C_9DC5_u32, |sum, it| {
        (sum ^ u32::from(it)).wrapping_mul(0x0100_0193)
    });
    // No word is none.
    sum | 1
}

fn bucket(hash: u32) -> u32 {
    let spread = u64::from(hash ^ (hash >> 15)).wrapping_mul(0x2C1B_3C6D_2C1B_3C6D) >> 32;
    u32::try_from((spread * BUCKETS as u64) >> 32).unwrap_or(0)
}

/// The whole of the evidence: what the rules say, and how it reads.
pub(crate) fn weigh(rules: f32, calm: f32, logit: f32) -> f32 {
    let sure = 1.0 / (1.0 + (-logit).exp());
    let more = ((sure - 0.5) * 2.0).max(0.0);
    // Who writes about attacks does not read like who attacks.
    let least = if calm < 0.7 { 0.35 } else { 0.45 };
    let reads = (1.25 * sure.powf(0.22)).max(least);
    rules * calm * reads + 0.7 * more * more
}
