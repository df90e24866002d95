//! Makes the linear model of Shield from samples.

#![expect(
    clippy::cast_precision_loss,
    reason = "weights are small, and so are counts"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use agentdrop_shield::training::{BUCKETS, Window, level, pack, root, windows};
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
    /// Say of this kind of samples which are on the wrong side
    #[arg(long)]
    wrong: Option<String>,
}

/// A line of the manifest.
#[derive(Deserialize)]
struct Sample {
    part: String,
    family: String,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    setting: Option<String>,
    #[serde(default)]
    source: Option<String>,
    path: PathBuf,
    #[serde(default)]
    split: Option<String>,
}

/// A sample as it is learned from.
struct Learned {
    /// What it is counted among.
    kind: String,
    /// What may not be learned from where it is judged.
    family: String,
    path: PathBuf,
    is_attack: bool,
    windows: Vec<Window>,
}

/// How many parts the families are dealt to: each is judged by a model of the others.
const PARTS: u64 = 6;

/// Of a file that has more, so many are learned from.
const WINDOWS: usize = 200;

pub(crate) fn run(args: &Args) -> io::Result<Value> {
    let all = samples(args)?;
    let mut judged: Vec<(&Learned, f32, ThreatLevel)> = Vec::new();
    for part in 0..PARTS {
        let is_here = |it: &&Learned| dealt(&it.family) == part;
        let others: Vec<&Learned> = all.iter().filter(|it| !is_here(it)).collect();
        let weights = learn(&others);
        for sample in all.iter().filter(is_here) {
            let (worst, level) = judge(&weights, sample, args.wrong.as_deref());
            judged.push((sample, worst, level));
        }
    }
    if let Some(out) = &args.out {
        let weights = learn(&all.iter().collect::<Vec<_>>());
        File::create(out)?.write_all(&pack(&weights))?;
    }
    Ok(report(&judged))
}

fn samples(args: &Args) -> io::Result<Vec<Learned>> {
    let rules = RuleSet::load().map_err(io::Error::other)?;
    let manifest = File::open(args.folder.join("manifest.json"))?;
    let manifest: Vec<Sample> = serde_json::from_reader(io::BufReader::new(manifest))?;
    let mut all = Vec::new();
    for sample in manifest {
        let kind = match (sample.part.as_str(), sample.family.as_str()) {
            ("benign", "about-injection") => "about".to_owned(),
            ("attacks", _) => sample.setting.unwrap_or_default(),
            ("benign" | "own attacks" | "own twins" | "made attacks" | "made twins", _) => {
                sample.part
            }
            _ => continue,
        };
        if sample.split.as_deref() != Some("tune") {
            continue;
        }
        let is_own = kind.starts_with("own") || kind.starts_with("made");
        let is_ordinary = matches!(kind.as_str(), "benign" | "about");
        let family = sample.group.filter(|_| !is_ordinary);
        let name = sample.path.file_name().unwrap_or_default();
        let bytes = fs::read(args.folder.join(&sample.path))?;
        let mut windows = windows(&rules, &name.to_string_lossy(), &bytes);
        let every = windows.len().div_ceil(WINDOWS).max(1);
        let mut number = 0;
        windows.retain(|it| {
            number += 1;
            number % every == 0 || it.rules > 0.5
        });
        all.push(Learned {
            is_attack: matches!(
                kind.as_str(),
                "chat" | "document" | "ask" | "own attacks" | "made attacks"
            ),
            family: family
                .or_else(|| sample.source.filter(|_| !is_own))
                .unwrap_or(sample.family),
            path: sample.path,
            kind,
            windows,
        });
    }
    Ok(all)
}

fn judge(weights: &[f32], sample: &Learned, wrong: Option<&str>) -> (f32, ThreatLevel) {
    let (mut worst, mut most) = (f32::MIN, ThreatLevel::Clean);
    let mut shown = (f32::MIN, None);
    for window in &sample.windows {
        let logit = best(weights, window);
        worst = worst.max(logit);
        let level = level(window, logit);
        most = most.max(level);
        if logit > shown.0 {
            shown = (logit, Some(window));
        }
    }
    if wrong == Some(&sample.kind) && sample.is_attack != (most >= ThreatLevel::Medium) {
        let text = shown.1.map_or("", |it| it.text.as_str());
        let rules = shown.1.map_or(0.0, |it| it.rules);
        writeln!(
            io::stderr(),
            "{most:?} {worst:.2} {rules:.2} {} {text}",
            sample.path.display()
        )
        .ok();
    }
    (worst, most)
}

/// How the stretch reads that reads worst.
fn best(weights: &[f32], window: &Window) -> f32 {
    let reads = window.reads.iter().map(|it| logit(weights, it));
    reads.fold(f32::MIN, f32::max)
}

/// To which part a family belongs.
fn dealt(family: &str) -> u64 {
    let sum = family.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |sum, it| {
        (sum ^ u64::from(it)).wrapping_mul(0x0100_0000_01B3)
    });
    (sum >> 7) % PARTS
}

fn report(judged: &[(&Learned, f32, ThreatLevel)]) -> Value {
    let share =
        |count: usize, of: usize| (count as f64 * 10_000.0 / of.max(1) as f64).round() / 100.0;
    let of = |kind: &str| {
        let those = judged.iter().filter(|it| it.0.kind == kind);
        those.copied().collect::<Vec<_>>()
    };
    let mut ordinary: Vec<f32> = of("benign").iter().map(|it| it.1).collect();
    ordinary.sort_by(|one, other| other.total_cmp(one));
    let limits = [3, 10, 20, 40].map(|it| {
        let at = ordinary.len() * it / 1000;
        ordinary.get(at).copied().unwrap_or(0.0)
    });
    let mut kinds = BTreeMap::new();
    for kind in [
        "chat",
        "document",
        "ask",
        "own attacks",
        "own twins",
        "benign",
        "about",
    ] {
        let those = of(kind);
        let count = |least| those.iter().filter(|it| it.2 >= least).count();
        let over =
            limits.map(|limit| share(those.iter().filter(|it| it.1 > limit).count(), those.len()));
        let windows = those.iter().map(|it| it.0.windows.len()).sum::<usize>();
        let lengths = those
            .iter()
            .flat_map(|it| &it.0.windows)
            .map(Window::length)
            .sum::<usize>();
        kinds.insert(kind, json!({
            "samples": those.len(),
            "flagged": share(count(ThreatLevel::Medium), those.len()),
            "blocked": share(count(ThreatLevel::High), those.len()),
            "without": share(those.iter().filter(|it| it.0.windows.is_empty()).count(), those.len()),
            "by_model_alone": over,
            "windows": windows,
            "bytes": lengths,
        }));
    }
    let mut table: BTreeMap<(bool, &str), [u64; 3]> = BTreeMap::new();
    for (sample, _, level) in judged {
        let row = table.entry((sample.is_attack, &sample.family)).or_default();
        row[0] += 1;
        row[1] += u64::from(*level >= ThreatLevel::Medium);
        row[2] += u64::from(*level >= ThreatLevel::High);
    }
    let families: Vec<Value> = table
        .iter()
        .map(|((is_attack, family), row)| {
            json!({ "family": family, "attack": is_attack, "samples": row[0], "flagged": row[1], "blocked": row[2] })
        })
        .collect();
    json!({ "kinds": kinds, "limits": limits, "families": families })
}

fn logit(weights: &[f32], features: &[u32]) -> f32 {
    let sum: f32 = features.iter().map(|it| weights[*it as usize]).sum();
    sum / root(features.len())
}

/// A stretch that is learned from.
struct Row<'a> {
    features: &'a [u32],
    is_attack: bool,
    sample: usize,
    share: f32,
}

/// How much all of one side counts.
const SIDE: f32 = 3000.0;

/// How much more of an attack what reads worst counts than what reads better by one.
const SHARP: f32 = 2.0;

/// All stretches of these samples. Families count by the root of how many samples they have, samples by
/// the root of how many stretches.
fn rows<'a>(samples: &[&'a Learned]) -> Vec<Row<'a>> {
    let mut sizes: BTreeMap<(bool, &str), f32> = BTreeMap::new();
    for it in samples {
        *sizes.entry((it.is_attack, &it.family)).or_default() += 1.0;
    }
    let mut rows = Vec::new();
    for (number, sample) in samples.iter().enumerate() {
        let size = sizes[&(sample.is_attack, sample.family.as_str())];
        let reads = sample.windows.iter().flat_map(|it| &it.reads);
        let count = reads.clone().count() as f32;
        let more = match sample.kind.as_str() {
            "own attacks" | "own twins" => 3.0,
            _ => 1.0,
        };
        let share = more
            / if sample.is_attack {
                size.sqrt()
            } else {
                count.sqrt().max(1.0)
            };
        rows.extend(reads.map(|it| Row {
            features: it,
            is_attack: sample.is_attack,
            sample: number,
            share,
        }));
    }
    // Both sides count as much.
    for is_attack in [false, true] {
        let those = || rows.iter().filter(|it| it.is_attack == is_attack);
        let total: f32 = if is_attack {
            let mut of: BTreeMap<usize, f32> = BTreeMap::new();
            those().for_each(|it| {
                of.insert(it.sample, it.share);
            });
            of.values().sum()
        } else {
            those().map(|it| it.share).sum()
        };
        for row in rows.iter_mut().filter(|it| it.is_attack == is_attack) {
            row.share *= SIDE / total.max(1.0);
        }
    }
    rows
}

/// Logistic regression: steps that shrink with what each weight has moved, and a pull towards nothing.
/// Of an attack it is not known which stretch it is: those count that read worst so far.
fn learn(samples: &[&Learned]) -> Vec<f32> {
    const ROUNDS: u32 = 10;
    const STEP: f32 = 0.2;
    const PULL: f32 = 2e-5;
    let mut rows = rows(samples);
    let (mut weights, mut moved) = (vec![0.0_f32; BUCKETS], vec![1e-6_f32; BUCKETS]);
    let mut chance = 1_u64;
    for round in 0..ROUNDS {
        for at in (1..rows.len()).rev() {
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            rows.swap(at, (chance >> 33) as usize % (at + 1));
        }
        let counts = worst(&weights, &rows, samples.len(), round);
        for (row, counts) in rows.iter().zip(counts) {
            let share = row.share * counts;
            if share < 1e-4 {
                continue;
            }
            let sure = 1.0 / (1.0 + (-logit(&weights, row.features)).exp());
            let scale = root(row.features.len()).recip();
            let wanted = if row.is_attack { 1.0 } else { 0.0 };
            let slope = (sure - wanted) * share.min(6.0) * scale;
            for it in row.features {
                let at = *it as usize;
                let slope = slope + PULL * weights[at];
                moved[at] += slope * slope;
                weights[at] -= STEP * slope / moved[at].sqrt();
            }
        }
    }
    weights
}

/// How much each row counts: all of what is ordinary, and of an attack what reads worst.
fn worst(weights: &[f32], rows: &[Row<'_>], samples: usize, round: u32) -> Vec<f32> {
    let logits: Vec<f32> = rows.iter().map(|it| logit(weights, it.features)).collect();
    let mut most = vec![f32::MIN; samples];
    for (row, logit) in rows.iter().zip(&logits) {
        most[row.sample] = most[row.sample].max(*logit);
    }
    let sharp = if round < 2 { 0.0 } else { SHARP };
    let parts: Vec<f32> = rows
        .iter()
        .zip(&logits)
        .map(|(row, logit)| ((logit - most[row.sample]) * sharp).exp())
        .collect();
    let mut sums = vec![0.0_f32; samples];
    for (row, part) in rows.iter().zip(&parts) {
        sums[row.sample] += part;
    }
    let rows = rows.iter().zip(parts);
    rows.map(|(row, part)| {
        if row.is_attack {
            part / sums[row.sample]
        } else {
            1.0
        }
    })
    .collect()
}
