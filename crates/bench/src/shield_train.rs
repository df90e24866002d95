//! Makes the linear model of Shield from samples.

#![expect(
    clippy::cast_precision_loss,
    reason = "weights are small, and so are counts"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use agentdrop_shield::training::{BUCKETS, Window, level, pack, windows};
use agentdrop_shield::{RuleSet, ThreatLevel};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where manifest.json is, and the samples that it names
    folder: PathBuf,
    /// The model, which is overwritten
    #[arg(long)]
    out: Option<PathBuf>,
}

/// A line of the manifest.
#[derive(Deserialize)]
struct Sample {
    part: String,
    family: String,
    #[serde(default)]
    group: Option<String>,
    path: PathBuf,
    #[serde(default)]
    split: String,
}

/// A sample as it is learned from.
struct Learned {
    family: String,
    is_attack: bool,
    windows: Vec<Window>,
}

/// How many parts the families are dealt to: each is judged by a model of the others.
const PARTS: u64 = 6;

pub(crate) fn run(args: &Args) -> io::Result<Value> {
    let rules = RuleSet::load().map_err(io::Error::other)?;
    let manifest = File::open(args.folder.join("manifest.json"))?;
    let manifest: Vec<Sample> = serde_json::from_reader(io::BufReader::new(manifest))?;
    let mut all = Vec::new();
    for sample in manifest.into_iter().filter(|it| it.split == "tune") {
        // What is no text is no sample.
        let Ok(text) = fs::read_to_string(args.folder.join(&sample.path)) else {
            continue;
        };
        all.push(Learned {
            is_attack: sample.part == "attacks",
            family: sample.group.unwrap_or(sample.family),
            windows: windows(&rules, &text),
        });
    }
    let mut table: BTreeMap<(bool, &str), [u64; 3]> = BTreeMap::new();
    for part in 0..PARTS {
        let is_here = |it: &&Learned| dealt(&it.family) == part;
        let others: Vec<&Learned> = all.iter().filter(|it| !is_here(it)).collect();
        let weights = learn(&others);
        for sample in all.iter().filter(is_here) {
            let row = table.entry((sample.is_attack, &sample.family)).or_default();
            let levels = sample.windows.iter();
            let worst = levels
                .map(|it| level(it, logit(&weights, &it.features)))
                .max();
            let worst = worst.unwrap_or(ThreatLevel::Clean);
            row[0] += 1;
            row[1] += u64::from(worst >= ThreatLevel::Medium);
            row[2] += u64::from(worst >= ThreatLevel::High);
        }
    }
    if let Some(out) = &args.out {
        let weights = learn(&all.iter().collect::<Vec<_>>());
        File::create(out)?.write_all(&pack(&weights))?;
    }
    Ok(report(&table))
}

/// To which part a family belongs.
fn dealt(family: &str) -> u64 {
    let sum = family.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |sum, it| {
        (sum ^ u64::from(it)).wrapping_mul(0x0100_0000_01B3)
    });
    (sum >> 7) % PARTS
}

fn report(table: &BTreeMap<(bool, &str), [u64; 3]>) -> Value {
    let sum = |is_attack: bool| {
        let rows = table.iter().filter(|it| it.0.0 == is_attack);
        let [all, flagged, blocked] = rows.fold([0; 3], |sum, (_, row)| {
            [sum[0] + row[0], sum[1] + row[1], sum[2] + row[2]]
        });
        let share = |it: u64| (it as f64 * 10_000.0 / all.max(1) as f64).round() / 100.0;
        json!({ "samples": all, "flagged_percent": share(flagged), "blocked_percent": share(blocked) })
    };
    let families: Vec<Value> = table
        .iter()
        .map(|((is_attack, family), row)| {
            json!({ "family": family, "attack": is_attack, "samples": row[0], "flagged": row[1], "blocked": row[2] })
        })
        .collect();
    json!({ "attacks": sum(true), "ordinary": sum(false), "families": families })
}

fn logit(weights: &[f32], features: &[u32]) -> f32 {
    let sum: f32 = features.iter().map(|it| weights[*it as usize]).sum();
    sum / (features.len().max(1) as f32).sqrt()
}

/// Logistic regression: steps that shrink with what each weight has moved, and a pull towards nothing.
fn learn(samples: &[&Learned]) -> Vec<f32> {
    const ROUNDS: u32 = 12;
    const STEP: f32 = 0.35;
    const PULL: f32 = 2e-5;
    // What a sample says counts as much as another, however long it is; so do both sides.
    let mut rows: Vec<(&Window, f32, f32)> = Vec::new();
    for is_attack in [false, true] {
        let side = samples
            .iter()
            .filter(|it| it.is_attack == is_attack && !it.windows.is_empty());
        let weight = |it: &Learned| (it.windows.len() as f32).sqrt().recip();
        let total: f32 = side
            .clone()
            .map(|it| weight(it) * it.windows.len() as f32)
            .sum();
        for sample in side {
            let share = weight(sample) * 3000.0 / total;
            rows.extend(
                sample
                    .windows
                    .iter()
                    .map(|it| (it, f32::from(u8::from(is_attack)), share)),
            );
        }
    }
    let (mut weights, mut moved) = (vec![0.0_f32; BUCKETS], vec![1e-6_f32; BUCKETS]);
    let mut chance = 1_u64;
    for _ in 0..ROUNDS {
        for at in (1..rows.len()).rev() {
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            rows.swap(at, (chance >> 33) as usize % (at + 1));
        }
        for (window, is_attack, share) in &rows {
            let sure = 1.0 / (1.0 + (-logit(&weights, &window.features)).exp());
            let scale = (window.features.len().max(1) as f32).sqrt().recip();
            let slope = (sure - is_attack) * share.min(4.0) * scale;
            for it in &window.features {
                let at = *it as usize;
                let slope = slope + PULL * weights[at];
                moved[at] += slope * slope;
                weights[at] -= STEP * slope / moved[at].sqrt();
            }
        }
    }
    weights
}
