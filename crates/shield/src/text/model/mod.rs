//! A linear model of how those write who want something from a machine: further evidence, in the
//! languages that it was shown.
//!
//! The weights are data, made by `agentdrop-bench shield-train`.

pub(crate) mod features;

use std::collections::BTreeMap;

use self::features::{Classes, features};
use super::words::Hit;
use crate::error::ScanError;

/// How many weights there are.
pub(crate) const BUCKETS: usize = (128 << 10) - HEAD;

/// How many of them are for what words are like, which no word shares.
pub(crate) const GENERAL: usize = 32 << 10;

/// Four letters, how many weights, and how much one of them is.
const HEAD: usize = 12;

/// Changes with what the model looks at.
const MARK: &[u8; 4] = b"ADM2";

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) classes: Classes,
    scale: f32,
    weights: &'static [u8],
}

impl Model {
    pub(crate) fn load(
        classes: &BTreeMap<String, String>,
        bytes: &'static [u8],
    ) -> Result<Self, ScanError> {
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
            classes: Classes::of(classes),
            scale: f32::from_le_bytes(*scale),
            weights,
        })
    }

    /// How a folded text reads: above 0 as an attack, below as anything else, near 0 as nothing known.
    pub(crate) fn logit(&self, marks: &[u32], text: &str, hits: &[Hit]) -> f32 {
        let (mut sum, mut count) = (0_i32, 0);
        features(&self.classes, marks, text, hits, |it| {
            let weight = self.weights.get(it as usize);
            sum = sum.wrapping_add(weight.map_or(0, |it| i32::from(it.cast_signed())));
            count += 1;
        });
        #[expect(
            clippy::cast_precision_loss,
            reason = "it is far below 2^24, up to which each is exact"
        )]
        let sum = sum as f32;
        sum * self.scale / root(count)
    }
}

/// By what the sum over so many is divided. Little that was looked at says little.
pub(crate) fn root(count: usize) -> f32 {
    const LEAST: u16 = 40;
    f32::from(u16::try_from(count).unwrap_or(u16::MAX).max(LEAST)).sqrt()
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

/// The whole of the evidence: what the rules say, and how it reads. `factor` is how much more orders
/// weigh where it stands.
pub(crate) fn weigh(rules: f32, calm: f32, logit: f32, factor: f32) -> f32 {
    let sure = 1.0 / (1.0 + (-logit).exp());
    // Who writes about attacks does not read like who attacks.
    let least = if calm < 0.7 { 0.35 } else { 0.45 };
    let reads = (1.25 * sure.powf(0.5)).max(least);
    let said = rules * calm * reads * factor;
    // One ordinary file of a hundred has something that reads worse than this.
    let over = logit - 0.1;
    let slope = if over > 0.0 { 0.21 } else { 0.3 };
    // How it reads is less sure than what it says, wherever it stands.
    let manner = (0.58 + slope * over).clamp(0.0, 1.2) * factor.min(1.15);
    let (less, more) = if said < manner {
        (said, manner)
    } else {
        (manner, said)
    };
    more + 0.4 * less
}
