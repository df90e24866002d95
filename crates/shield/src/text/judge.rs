//! From a text to findings: what it wants, weighed window for window.

use std::collections::BTreeMap;

use agentdrop_protocol::report::ThreatLevel;

use super::fold::Folded;
use super::model::weigh;
use super::note::note;
use super::rules::{LEVELS, TextRules};
use super::stretches::{Stretch, floor, stretches};
use super::words::{Hit, go_together};
#[cfg(feature = "training")]
use crate::training::Window;
use crate::walk::{Setting, Walk};

/// An idea that was met.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signal {
    pub(super) idea: u16,
    start: u32,
    weight: f32,
}

/// A part of a text, and how much there is against it.
#[derive(Debug)]
pub(crate) struct Passage {
    pub(crate) score: f32,
    /// What is left of it where attacks are written about.
    pub(crate) calm: f32,
    /// The strongest ideas, of one family each, the surest first.
    pub(super) ideas: Vec<u16>,
    pub(super) start: u32,
    /// Where the last of what was met in it begins.
    end: u32,
    /// What the model reads of it: it counts what reads worst.
    pub(crate) reads: Vec<Stretch>,
}

/// What is not worth a look.
const LEAST: f32 = 0.2;

/// How far apart things may be that are weighed together.
const WINDOW: u32 = 900;

/// What else is known of a text than what it says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) setting: Setting,
    /// It was not to be read as it stood: it was encoded, or its characters were disguised.
    pub(super) is_hidden: bool,
    /// The number of its first line.
    pub(super) line: u64,
}

/// Judges a text, and notes what was found.
pub(super) fn judge(
    walk: &mut Walk<'_>,
    text: &str,
    folded: &Folded,
    hits: &[Hit],
    manner: Manner,
) {
    let rules = &walk.rules.text;
    let mut passages = candidates(rules, folded, hits);
    #[cfg(feature = "training")]
    if let Some(learned) = &mut walk.learned {
        let windows = passages.iter();
        learned.extend(windows.map(|it| Window::of(rules, &folded.text, hits, it, factor(manner))));
    }
    for passage in &mut passages {
        let logits = passage.reads.iter();
        let logit = logits
            .map(|it| {
                let (text, hits) = read(&folded.text, hits, *it);
                rules.model.logit(&rules.marks, text, hits)
            })
            .fold(f32::MIN, f32::max);
        let sure = 1.0 / (1.0 + (-logit).exp());
        walk.scores.model = walk.scores.model.max(sure);
        walk.scores.rules = walk.scores.rules.max((passage.score / 2.0).min(1.0));
        passage.score = weigh(passage.score, passage.calm, logit, factor(manner));
    }
    for passage in best_of_each(passages) {
        let level = level(passage.score);
        if level > ThreatLevel::Clean {
            note(walk, text, folded, manner, &passage, level);
        }
    }
}

/// What is worth a closer look: where something was met, and where much is spoken of what is met there.
pub(crate) fn candidates(rules: &TextRules, folded: &Folded, hits: &[Hit]) -> Vec<Passage> {
    let signals = signals(rules, folded, hits);
    let mut all = passages(rules, hits, &signals);
    for passage in &mut all {
        passage.reads.push(around(&folded.text, passage));
    }
    let about: Vec<&Hit> = hits.iter().filter(|it| it.concept == rules.about).collect();
    let mut more = Vec::new();
    let (mut at, known) = (0, all.len());
    for stretch in stretches(rules, &folded.text, hits) {
        while at < known && all[at].end + AROUND.1 < stretch.0 {
            at += 1;
        }
        let near = all.get_mut(at).filter(|it| it.start < stretch.1);
        if let Some(passage) = near {
            passage.reads.push(stretch);
        } else {
            more.push(Passage {
                score: 0.0,
                calm: calm(&about, stretch.0),
                ideas: Vec::new(),
                start: stretch.0,
                end: stretch.1,
                reads: vec![stretch],
            });
        }
    }
    all.extend(more);
    all
}

/// How much before and after a passage is read, too.
const AROUND: (u32, u32) = (100, 150);

/// A passage, with a little before and after.
fn around(text: &str, passage: &Passage) -> Stretch {
    let start = floor(text, passage.start.saturating_sub(AROUND.0) as usize);
    let end = floor(text, ((passage.end + AROUND.1) as usize).min(text.len()));
    let place = |it| u32::try_from(it).unwrap_or(u32::MAX);
    (place(start), place(end))
}

/// The text of a stretch, and what was met in it.
pub(crate) fn read<'a>(text: &'a str, hits: &'a [Hit], it: Stretch) -> (&'a str, &'a [Hit]) {
    let from = hits.partition_point(|hit| hit.start < it.0);
    let to = hits.partition_point(|hit| hit.start < it.1);
    let text = text.get(it.0 as usize..it.1 as usize);
    (
        text.unwrap_or_default(),
        hits.get(from..to).unwrap_or_default(),
    )
}

/// The level that a score needs.
pub(crate) fn level(score: f32) -> ThreatLevel {
    let level = LEVELS.into_iter().find(|it| score >= it.0);
    level.map_or(ThreatLevel::Clean, |it| it.1)
}

/// Of each strongest idea, the passage that is the worst: a finding is told once.
fn best_of_each(passages: Vec<Passage>) -> impl Iterator<Item = Passage> {
    let mut best: BTreeMap<u16, Passage> = BTreeMap::new();
    for passage in passages {
        let first = passage.ideas.first().unwrap_or(&u16::MAX);
        match best.get(first) {
            Some(known) if known.score >= passage.score => {}
            _ => {
                best.insert(*first, passage);
            }
        }
    }
    best.into_values()
}

/// Orders weigh more where data belongs, and where people do not read them.
fn factor(manner: Manner) -> f32 {
    let setting = match manner.setting {
        Setting::Visible => 1.0,
        Setting::Message => 1.1,
        Setting::Code => 0.85,
        Setting::Hidden | Setting::Metadata | Setting::Name => 1.5,
    };
    if manner.is_hidden {
        f32::max(setting, 1.6)
    } else {
        setting
    }
}

/// The ideas whose words stand near to each other.
pub(super) fn signals(rules: &TextRules, folded: &Folded, hits: &[Hit]) -> Vec<Signal> {
    let mut signals = Vec::new();
    for (at, hit) in hits.iter().enumerate() {
        let ideas = rules.by_first.get(usize::from(hit.concept));
        for number in ideas.into_iter().flatten() {
            let Some(idea) = rules.ideas.get(usize::from(*number)) else {
                continue;
            };
            if idea.at_line && !is_mark(folded, hit) {
                continue;
            }
            let mut languages = hit.languages;
            let mut is_mixed = false;
            let mut has_all = true;
            for need in idea.needs.iter().skip(1) {
                let Some(other) = nearest(hits, at, need, idea.within, &folded.text, languages)
                else {
                    has_all = false;
                    break;
                };
                is_mixed |= !go_together(languages, other.languages);
                languages |= other.languages;
            }
            if has_all {
                let weight = idea.weight * if is_mixed { 0.5 } else { 1.0 };
                signals.push(Signal {
                    idea: *number,
                    start: hit.start,
                    weight,
                });
            }
        }
    }
    signals.sort_by_key(|it| it.start);
    signals
}

/// Whether it begins a line, and is not the name of something in a program.
fn is_mark(folded: &Folded, hit: &Hit) -> bool {
    let rest = folded.text.get(hit.end as usize..).unwrap_or_default();
    folded.begins_line(hit.start as usize) && !rest.starts_with(':')
}

/// Bytes of the longest phrase, or a little more.
const LONGEST: u32 = 90;

/// What may stand as far apart as this may stand in two sentences.
const ACROSS: u32 = 60;

/// The nearest hit for one of these concepts that is in the same sentence, best in the same language.
fn nearest<'a>(
    hits: &'a [Hit],
    at: usize,
    need: &[u16],
    within: u32,
    text: &str,
    languages: u64,
) -> Option<&'a Hit> {
    let here = hits.get(at)?;
    let fits = |it: &&Hit| {
        let is_near = |(from, to)| {
            is_within(text, from, to, within) && (within >= ACROSS || !has_end(text, from, to))
        };
        need.contains(&it.concept) && gap(here, it).is_some_and(is_near)
    };
    // Hits come in the order in which they begin. A letter has up to three bytes.
    let far = within * 3;
    let before = hits.get(..at)?.iter().rev();
    let before = before.take_while(|it| here.start.saturating_sub(it.start) <= far + LONGEST);
    let after = hits.get(at + 1..)?.iter();
    let after = after.take_while(|it| it.start.saturating_sub(here.end) <= far);
    // What comes in masses is not looked at in masses.
    let all = after.take(80).chain(before.take(80));
    all.filter(fits)
        .min_by_key(|it| !go_together(languages, it.languages))
}

fn is_within(text: &str, from: u32, to: u32, within: u32) -> bool {
    if to - from <= within {
        return true;
    }
    let between = text.get(from as usize..to as usize).unwrap_or_default();
    !between.is_ascii() && between.chars().count() <= within as usize
}

/// What lies between two hits, unless they share something.
fn gap(one: &Hit, other: &Hit) -> Option<(u32, u32)> {
    if one.end <= other.start {
        Some((one.end, other.start))
    } else if other.end <= one.start {
        Some((other.end, one.start))
    } else {
        None
    }
}

/// Whether a sentence ends in between.
fn has_end(text: &str, from: u32, to: u32) -> bool {
    let between = text.get(from as usize..to as usize).unwrap_or_default();
    let mut chars = between.chars().peekable();
    while let Some(it) = chars.next() {
        match it {
            '.' | '!' | '?' if chars.peek().is_some_and(|it| *it == ' ') => return true,
            '。' | '！' | '？' | '।' | '\u{6D4}' | ';' | '{' | '}' => return true,
            _ => {}
        }
    }
    false
}

/// What was met, window for window; a window begins with each signal.
fn passages(rules: &TextRules, hits: &[Hit], signals: &[Signal]) -> Vec<Passage> {
    let about: Vec<&Hit> = hits.iter().filter(|it| it.concept == rules.about).collect();
    let mut best: Vec<Passage> = Vec::new();
    let mut families = vec![(0.0_f32, 0_u16, 0.0_f32); rules.families];
    for (at, first) in signals.iter().enumerate() {
        families.fill((0.0, 0, 0.0));
        let rest = signals.get(at..).unwrap_or_default();
        let inside = rest.iter().take_while(|it| it.start - first.start < WINDOW);
        let mut end = first.start;
        for signal in inside.take(200) {
            let Some(idea) = rules.ideas.get(usize::from(signal.idea)) else {
                continue;
            };
            end = signal.start;
            let family = &mut families[idea.family];
            if signal.weight > family.0 {
                *family = (signal.weight, signal.idea, family.0.max(family.2));
            } else if signal.idea != family.1 {
                family.2 = family.2.max(signal.weight);
            }
        }
        // A second idea of one family adds less.
        let sum: f32 = families.iter().map(|it| it.0 + 0.35 * it.2).sum();
        let (score, calm) = (sum, calm(&about, first.start));
        if score < LEAST {
            continue;
        }
        let mut ideas: Vec<(f32, u16)> = families
            .iter()
            .filter(|it| it.0 > 0.0)
            .map(|it| (it.0, it.1))
            .collect();
        ideas.sort_by(|one, other| other.0.total_cmp(&one.0));
        let passage = Passage {
            score,
            calm,
            ideas: ideas.into_iter().map(|it| it.1).collect(),
            start: first.start,
            end,
            reads: Vec::new(),
        };
        // The best of those that overlap.
        match best.last_mut() {
            Some(last) if passage.start - last.start < WINDOW => {
                if passage.score > last.score {
                    *last = passage;
                }
            }
            _ => best.push(passage),
        }
    }
    best
}

/// Whoever writes about attacks quotes them.
fn calm(about: &[&Hit], start: u32) -> f32 {
    let from = about.partition_point(|it| it.end + WINDOW / 2 < start);
    let near = about.get(from..).unwrap_or_default().iter();
    let mut seen: Vec<(u32, u32)> = Vec::new();
    for hit in near.take_while(|it| it.start < start + WINDOW).take(40) {
        let overlaps = seen.iter().any(|it| hit.start < it.1 && it.0 < hit.end);
        if !overlaps {
            seen.push((hit.start, hit.end));
        }
    }
    match seen.len() {
        0 | 1 => 1.0,
        2 => 0.8,
        3 | 4 => 0.65,
        _ => 0.5,
    }
}
