//! Characters that nobody sees and machines read: tags, selectors, and what has no width.

use super::{At, Found, TURNED, Take, UNSEEN, is_words, words};
use crate::budget::Step;

pub(super) fn search(text: &str, take: &mut Take<'_>) -> Step {
    tags(text, take)?;
    selectors(text, take)?;
    bits(text, take)?;
    turned(text, take)
}

/// Letters of a plane of their own, made to say in which language a text is. Flags have some.
fn tags(text: &str, take: &mut Take<'_>) -> Step {
    let (mut hidden, mut at, mut is_flag) = (String::new(), 0, false);
    for (offset, it) in text.char_indices() {
        match u32::from(it) {
            0x1F3F4 => is_flag = true,
            code @ 0xE0020..=0xE007E if !is_flag => {
                if hidden.is_empty() {
                    at = offset;
                }
                hidden.extend(char::from_u32(code - 0xE0000));
            }
            0xE0020..=0xE007E => (),
            _ => is_flag = false,
        }
    }
    hand_on("tag characters", at, hidden, 4, take)
}

/// Selectors say how a character looks; there are as many as a byte has values.
fn selectors(text: &str, take: &mut Take<'_>) -> Step {
    let (mut bytes, mut at, mut run) = (Vec::new(), 0, 0_usize);
    for (offset, it) in text.char_indices() {
        let byte = match u32::from(it) {
            code @ 0xFE00..=0xFE0F => code - 0xFE00,
            code @ 0xE0100..=0xE01EF => code - 0xE0100 + 16,
            _ => {
                // One or two belong to an emoji.
                if run < 3 {
                    bytes.truncate(bytes.len() - run);
                }
                run = 0;
                continue;
            }
        };
        if bytes.is_empty() {
            at = offset;
        }
        bytes.extend(u8::try_from(byte));
        run += 1;
    }
    let halves = bytes
        .as_chunks::<2>()
        .0
        .iter()
        .map(|it| it[0] << 4 | it[1] & 0xF);
    let text = words(&bytes).or_else(|| words(&halves.collect::<Vec<u8>>()));
    hand_on("variation selectors", at, text.unwrap_or_default(), 4, take)
}

/// Two sorts of nothing, which are the bits of something.
fn bits(text: &str, take: &mut Take<'_>) -> Step {
    let (mut signs, mut at) = (Vec::new(), 0);
    let mut kinds: Vec<char> = Vec::new();
    for (offset, it) in text.char_indices() {
        if matches!(it, '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{180E}')
        {
            if signs.is_empty() {
                at = offset;
            }
            if !kinds.contains(&it) {
                kinds.push(it);
            }
            signs.push(it);
        }
    }
    if signs.len() < 64 || kinds.len() < 2 {
        return Ok(());
    }
    // One of two is a nought and the other a one; a third keeps the letters apart.
    for zero in &kinds {
        for one in kinds.iter().filter(|it| *it != zero) {
            let bits: Vec<u8> = signs
                .iter()
                .filter_map(|it| {
                    if it == zero {
                        Some(0)
                    } else if it == one {
                        Some(1)
                    } else {
                        None
                    }
                })
                .collect();
            for width in [8, 7, 16] {
                let codes = bits.chunks_exact(width);
                let codes =
                    codes.map(|it| it.iter().fold(0_u32, |sum, it| sum << 1 | u32::from(*it)));
                let hidden: Option<String> = codes.map(char::from_u32).collect();
                if let Some(hidden) = hidden.filter(|it| is_words(it)) {
                    return hand_on("characters without width", at, hidden, 6, take);
                }
            }
        }
    }
    Ok(())
}

/// What is shown in the other direction than it is written.
fn turned(text: &str, take: &mut Take<'_>) -> Step {
    let mut rest = 0;
    while let Some((before, after)) = text
        .get(rest..)
        .and_then(|it| it.split_once(['\u{202E}', '\u{202D}']))
    {
        let at = rest + before.len();
        let inside = after.split(['\u{202C}', '\n']).next().unwrap_or_default();
        rest = text.len() - after.len() + inside.len();
        let letters = inside.chars().filter(char::is_ascii_alphabetic).count();
        if letters >= 6 {
            let turned = inside.chars().rev().collect();
            hand_on("turned direction", at, turned, 6, take)?;
        }
    }
    Ok(())
}

fn hand_on(
    name: &'static str,
    at: usize,
    hidden: String,
    least: usize,
    take: &mut Take<'_>,
) -> Step {
    if hidden.chars().count() < least {
        return Ok(());
    }
    let rule = if name == "turned direction" {
        &TURNED
    } else {
        &UNSEEN
    };
    take(Found {
        rule: Some(rule),
        ..Found::hidden(name, At::Text(at), hidden)
    })
}
