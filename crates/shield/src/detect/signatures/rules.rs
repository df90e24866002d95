//! The rules about bytes: read when they are loaded, compiled when something asks for them.
//!
//! A rule names the words without one of which it cannot match. All words of all rules are looked for at
//! once, and only the rules whose words are there are run, around them; few files have any.

use std::ops::Range;
use std::sync::OnceLock;

use agentdrop_protocol::report::ThreatLevel;
use boreal::Compiler;
use boreal::scanner::ScanParams;

use crate::error::ScanError;
use crate::literals::Literals;

/// All of them.
#[derive(Debug)]
pub(crate) struct Signatures {
    rules: Vec<Signature>,
    words: Literals,
    /// The same in two bytes a character, as programs of Windows have their texts.
    wide: Literals,
    /// Whose word it is.
    owners: Vec<usize>,
}

/// One rule.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) id: String,
    /// In programs.
    pub(super) level: ThreatLevel,
    /// In texts for people; nothing where it is no finding there.
    pub(super) prose: Option<ThreatLevel>,
    pub(super) reason: String,
    pub(super) advice: String,
    name: String,
    /// Whether it says nothing of programs for machines.
    pub(super) is_of_scripts: bool,
    needs: Vec<Vec<u8>>,
    /// How many bytes before and behind its words it looks at; more than a match can have, each of which has one of them.
    reach: usize,
    text: String,
    compiled: OnceLock<Option<boreal::Scanner>>,
}

const FILES: &[(&str, &str)] = &[
    (
        "credentials.yar",
        include_str!("../../../rules/yara/credentials.yar"),
    ),
    (
        "destruction.yar",
        include_str!("../../../rules/yara/destruction.yar"),
    ),
    (
        "droppers.yar",
        include_str!("../../../rules/yara/droppers.yar"),
    ),
    (
        "fetch_and_run.yar",
        include_str!("../../../rules/yara/fetch_and_run.yar"),
    ),
    ("miners.yar", include_str!("../../../rules/yara/miners.yar")),
    (
        "persistence.yar",
        include_str!("../../../rules/yara/persistence.yar"),
    ),
    (
        "reverse_shells.yar",
        include_str!("../../../rules/yara/reverse_shells.yar"),
    ),
    ("tools.yar", include_str!("../../../rules/yara/tools.yar")),
    (
        "webshells.yar",
        include_str!("../../../rules/yara/webshells.yar"),
    ),
];

impl Signatures {
    pub(crate) fn load() -> Result<Self, ScanError> {
        let test_file = test_file();
        let files = FILES.iter().copied();
        let all = files.chain([("the test file's rule", test_file.as_str())]);
        let mut rules = Vec::new();
        for (file, text) in all {
            for piece in split(text) {
                rules.push(Signature::read(file, piece)?);
            }
        }
        let (mut words, mut owners) = (Vec::new(), Vec::new());
        for (owner, rule) in rules.iter().enumerate() {
            for word in &rule.needs {
                words.push(word.clone());
                owners.push(owner);
            }
        }
        let zero_after = |word: &Vec<u8>| word.iter().flat_map(|it| [*it, 0]).collect();
        let wide: Vec<Vec<u8>> = words.iter().map(zero_after).collect();
        Ok(Self {
            rules,
            words: Literals::new(words),
            wide: Literals::new(wide),
            owners,
        })
    }

    /// Those that can match these bytes, and where.
    pub(super) fn asked(&self, bytes: &[u8]) -> Vec<(&Signature, Vec<Range<usize>>)> {
        let mut places: Vec<Vec<Range<usize>>> = vec![Vec::new(); self.rules.len()];
        let mut note = |word: usize, range: Range<usize>| {
            let owner = self.owners[word];
            let (places, reach) = (&mut places[owner], self.rules[owner].reach);
            let start = range.start.saturating_sub(reach);
            let end = range.end.saturating_add(reach).min(bytes.len());
            let mut place = start..end;
            // They come nearly in their order.
            while let Some(last) =
                places.pop_if(|it| it.start <= place.end && it.end >= place.start)
            {
                place = place.start.min(last.start)..place.end.max(last.end);
            }
            places.push(place);
        };
        self.words.all(bytes, &mut note);
        // Texts have none of these: what has no zeros needs but half of the work.
        if memchr::memchr(0, bytes).is_some() {
            self.wide.all(bytes, &mut note);
        }
        let rules = self.rules.iter().zip(places);
        rules.filter(|it| !it.1.is_empty()).collect()
    }
}

/// How far from its words a rule looks, unless it tells a `reach`: scripts are shorter.
pub(super) const AROUND: usize = 16 << 10;

impl Signature {
    fn read(file: &str, text: &str) -> Result<Self, ScanError> {
        let name = text.split_whitespace().nth(1).unwrap_or_default();
        let meta = |name: &str| {
            let is_it = |line: &&str| line.trim_start().starts_with(&format!("{name} = "));
            let line = text.lines().find(is_it)?;
            let value = line.split_once('"')?.1.trim_end().strip_suffix('"')?;
            Some(value.replace("\\\\", "\\").replace("\\\"", "\""))
        };
        let needed = |it: &str| meta(it).ok_or_else(|| wrong(file, name, &format!("has no {it}")));
        let level = |text: String| match text.as_str() {
            "LOW" => Ok(ThreatLevel::Low),
            "MEDIUM" => Ok(ThreatLevel::Medium),
            "HIGH" => Ok(ThreatLevel::High),
            "CRITICAL" => Ok(ThreatLevel::Critical),
            _ => Err(wrong(file, name, "has a level that is none")),
        };
        let is_level = level(needed("level")?)?;
        let words = meta("needs").unwrap_or_default();
        let bytes = meta("needs_bytes").unwrap_or_default();
        let mut needs: Vec<Vec<u8>> = parts(&words).map(|it| it.as_bytes().to_vec()).collect();
        for part in parts(&bytes) {
            let part = hex(part).ok_or_else(|| wrong(file, name, "has bytes that are none"))?;
            needs.push(part);
        }
        if needs.is_empty() || needs.iter().any(|it| it.len() < 3) {
            return Err(wrong(
                file,
                name,
                "has no needs, or one of less than three bytes",
            ));
        }
        Ok(Self {
            id: needed("id")?,
            level: is_level,
            prose: match meta("prose").as_deref() {
                Some("CLEAN") => None,
                Some(text) => Some(level(text.to_owned())?),
                None => Some(is_level),
            },
            reason: needed("reason")?,
            advice: meta("advice").unwrap_or_else(|| "do not run it".to_owned()),
            is_of_scripts: meta("of").as_deref() == Some("scripts"),
            needs,
            reach: match meta("reach").map(|it| it.parse()) {
                Some(reach) => reach.map_err(|_| wrong(file, name, "has a reach that is none"))?,
                None => AROUND,
            },
            name: name.to_owned(),
            text: text.to_owned(),
            compiled: OnceLock::new(),
        })
    }

    /// Where it matches first and what is there, if it matches.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<(usize, Vec<u8>)> {
        let scanner = self.compiled.get_or_init(|| self.compile().ok()).as_ref()?;
        let result = match scanner.scan_mem(bytes) {
            Ok(it) | Err((_, it)) => it,
        };
        let rule = result.rules.first()?;
        let matches = rule.matches.iter().flat_map(|it| &it.matches);
        let first = matches.min_by_key(|it| it.offset);
        Some(first.map_or((0, Vec::new()), |it| (it.offset, it.data.to_vec())))
    }

    fn compile(&self) -> Result<boreal::Scanner, ScanError> {
        let mut compiler = Compiler::new();
        compiler
            .add_rules_str(&self.text)
            .map_err(|it| wrong("rules/yara", &self.name, &it.to_string()))?;
        let mut scanner = compiler.finalize();
        scanner.set_scan_params(
            ScanParams::default()
                .compute_full_matches(true)
                .string_max_nb_matches(16)
                .match_max_length(256),
        );
        Ok(scanner)
    }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split('|').filter(|it| !it.is_empty())
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |it| u8::from_str_radix(str::from_utf8(it).ok()?, 16).ok();
    pairs.map(byte).collect()
}

/// A text of one rule each.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let starts: Vec<usize> = text
        .match_indices("rule ")
        .map(|it| it.0)
        .filter(|at| *at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n'))
        .collect();
    (0..starts.len()).filter_map(move |n| {
        let end = starts.get(n + 1).copied().unwrap_or(text.len());
        text.get(*starts.get(n)?..end)
    })
}

fn wrong(file: &str, rule: &str, why: &str) -> ScanError {
    ScanError::Rules {
        file: file.to_owned(),
        why: format!("{rule}: {why}"),
    }
}

/// The file by which every scanner is tested, put together here: whole, it would be found in our own
/// sources and programs.
fn test_file() -> String {
    let parts = [
        r"X5O!P%@AP[4\PZX54(P^)7CC)7}$",
        "EICAR",
        "-STANDARD-ANTIVIRUS-TEST-FILE!",
    ];
    let whole = parts.concat();
    let reversed: String = whole.chars().rev().collect();
    let (whole, reversed) = (whole.replace('\\', r"\\"), reversed.replace('\\', r"\\"));
    format!(
        r#"rule test_file {{
    meta:
        id = "program/test-file"
        level = "CRITICAL"
        reason = "it is the file by which scanners are tested (EICAR)"
        advice = "it does no harm by itself; do not send it on"
        needs = "X5O!P%@AP|!ELIF-TSET-"
    strings:
        $whole = "{whole}" ascii wide
        $reversed = "{reversed}"
    condition:
        any of them
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::prop_assert;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

    use super::*;

    #[test]
    fn every_rule_is_read_and_compiles() {
        let signatures = Signatures::load().unwrap();
        assert!(signatures.rules.len() > 30);
        for rule in &signatures.rules {
            rule.compile().unwrap();
            assert!(rule.prose <= Some(rule.level), "{}", rule.name);
        }
    }

    /// Those of which any pattern is enough.
    fn of_any(signatures: &Signatures) -> impl Iterator<Item = &Signature> {
        let is_any = |it: &&Signature| it.text.trim_end().ends_with("any of them\n}");
        signatures.rules.iter().filter(is_any)
    }

    /// The patterns of a rule, without what says where words and texts begin and end.
    fn patterns(rule: &Signature) -> impl Iterator<Item = String> {
        let lines = rule.text.lines().filter(|it| it.contains(" = /"));
        lines.map(|line| {
            let (_, pattern) = line.split_once(" = /").unwrap();
            let (pattern, flags) = pattern.rsplit_once('/').unwrap();
            let case = if flags.contains("nocase") { "i" } else { "" };
            let pattern = pattern.replace(r"\b", "").replace("|$", "");
            format!("(?{case}-u){}", pattern.replace("($|", "("))
        })
    }

    #[test]
    fn no_match_is_longer_than_its_rule_reaches() {
        let signatures = Signatures::load().unwrap();
        let near = |it: &&Signature| it.reach < AROUND;
        let of_any = of_any(&signatures).filter(near).count();
        assert_eq!(of_any, signatures.rules.iter().filter(near).count());
        let mut seen = 0;
        for rule in signatures.rules.iter().filter(near) {
            assert!(!rule.text.contains("wide"), "{}", rule.name);
            for pattern in patterns(rule) {
                let mut parser = regex_syntax::ParserBuilder::new();
                let parsed = parser.utf8(false).build().parse(&pattern).unwrap();
                let longest = parsed.properties().maximum_len();
                assert!(longest.is_some_and(|it| it < rule.reach), "{pattern}");
                seen += 1;
            }
        }
        assert!(seen > 8, "{seen}");
    }

    #[test]
    fn every_match_has_a_word_that_its_rule_needs() {
        let signatures = Signatures::load().unwrap();
        let few = Config::with_cases(32);
        let mut seen = 0;
        for rule in of_any(&signatures) {
            let needs = Literals::new(rule.needs.clone());
            for pattern in patterns(rule) {
                let matches = proptest::string::bytes_regex(&pattern).unwrap();
                let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
                let ran = TestRunner::new_with_rng(few.clone(), random).run(&matches, |it| {
                    let mut is_met = false;
                    needs.all(&it, |_, _| is_met = true);
                    prop_assert!(is_met, "{}", it.escape_ascii());
                    Ok(())
                });
                if let Err(it) = ran {
                    panic!("{} {pattern} {it}", rule.name);
                }
                seen += 1;
            }
        }
        assert!(seen > 60, "{seen}");
    }

    #[test]
    fn only_rules_whose_words_are_there_are_asked() {
        let signatures = Signatures::load().unwrap();
        let asked = |text: &[u8]| {
            let asked = signatures.asked(text);
            let names = asked.iter().map(|it| it.0.name.as_str());
            names
                .filter(|it| ["shell_over_device", "miner"].contains(it))
                .count()
        };
        assert_eq!(asked(b"an ordinary text"), 0);
        assert_eq!(asked(b"> /DEV/TCP/x stratum"), 2);
        let wide: Vec<u8> = "stratum"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(asked(&wide), 1);
    }
}
