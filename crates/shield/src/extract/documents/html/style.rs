//! What of a style decides whether a text is seen.

use std::collections::HashMap;

/// What of a style decides whether a text is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Style {
    /// It is not drawn, or where nobody looks, or too small.
    pub(super) hides: bool,
    pub(super) colour: Option<Colour>,
    pub(super) background: Option<Colour>,
}

/// A colour, as far as it is one and known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::extract::documents) enum Colour {
    Rgb([u8; 3]),
    /// Not to be seen at all.
    Clear,
    Other,
}

pub(in crate::extract::documents) const WHITE: Colour = Colour::Rgb([255; 3]);

impl Style {
    /// Of declarations: `color: red; opacity: 0`.
    pub(super) fn of(declarations: &str) -> Self {
        let mut style = Self::default();
        let (mut is_cut, mut is_nothing) = (false, false);
        for declaration in declarations.split(';').take(MAX_DECLARATIONS) {
            let Some((name, value)) = declaration.split_once(':') else {
                continue;
            };
            let name = name.trim().to_ascii_lowercase();
            let value = value.to_ascii_lowercase().replace("!important", "");
            let value = value.trim();
            match name.as_str() {
                "display" => style.hides |= value == "none",
                "visibility" => style.hides |= value == "hidden" || value == "collapse",
                "content-visibility" => style.hides |= value == "hidden",
                "opacity" => style.hides |= number(value).is_some_and(|it| it <= 0.05),
                "font-size" => style.hides |= is_tiny(value),
                "font" => style.hides |= value.split([' ', '/']).any(is_tiny),
                "left" | "right" | "top" | "bottom" | "text-indent" | "margin-left"
                | "margin-top" | "margin" | "inset" | "letter-spacing" => {
                    style.hides |= value
                        .split(' ')
                        .any(|it| number(it).is_some_and(|it| it <= -99.0));
                }
                "transform" | "scale" => style.hides |= is_moved_away(&name, value),
                "clip" => style.hides |= value.starts_with("rect(0") || value.contains("(1px,"),
                "clip-path" => {
                    style.hides |= ["inset(50%", "inset(100%", "circle(0"]
                        .iter()
                        .any(|it| value.starts_with(it));
                }
                "width" | "height" | "max-width" | "max-height" => {
                    is_nothing |= number(value).is_some_and(|it| it <= 1.0) && !value.contains('%');
                }
                "overflow" | "overflow-x" | "overflow-y" => is_cut |= value != "visible",
                "color" | "-webkit-text-fill-color" => style.colour = Some(Colour::of(value)),
                "background" | "background-color" => style.background = Some(Colour::of(value)),
                _ => {}
            }
        }
        style.hides |= is_cut && is_nothing;
        style
    }

    /// What both say, the other last.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            hides: self.hides || other.hides,
            colour: other.colour.or(self.colour),
            background: other.background.or(self.background),
        }
    }
}

/// Of one style; whoever needs more hides something else.
const MAX_DECLARATIONS: usize = 200;

fn is_moved_away(name: &str, value: &str) -> bool {
    let inside = |what| value.split_once(what).map(|(_, it): (&str, &str)| it);
    let is_far = |it: &str| {
        it.split([',', ')'])
            .any(|it| number(it.trim()).is_some_and(|it| it <= -99.0))
    };
    (name == "scale" && number(value).is_some_and(|it| it < 0.05))
        || inside("scale(")
            .and_then(number)
            .is_some_and(|it| it < 0.05)
        || inside("translate").is_some_and(|it| it.split('(').any(is_far))
}

fn is_tiny(size: &str) -> bool {
    let Some(number) = number(size) else {
        return false;
    };
    let unit = size.trim_start_matches(|it: char| it.is_ascii_digit() || ".+-".contains(it));
    match unit {
        "px" | "pt" => number <= 1.0,
        "em" | "rem" => number <= 0.1,
        "%" => number <= 10.0,
        "" => number == 0.0,
        _ => false,
    }
}

/// The number that a value begins with.
fn number(value: &str) -> Option<f32> {
    let end = value
        .find(|it: char| !it.is_ascii_digit() && !".+-".contains(it))
        .unwrap_or(value.len());
    value.get(..end)?.parse().ok()
}

impl Colour {
    /// Of how it is written: `white`, `#fff`, `rgb(255, 255, 255)`.
    pub(in crate::extract::documents) fn of(value: &str) -> Self {
        let value = value.trim();
        if let Some(digits) = value.strip_prefix('#') {
            return Self::of_digits(digits);
        }
        if let Some(inside) = value.strip_prefix("rgb") {
            let mut parts = inside
                .trim_start_matches(['a', '('])
                .split([',', ' ', '/', ')'])
                .filter(|it| !it.is_empty())
                .map(|it| if it == "%" { None } else { number(it) });
            let mut part = || parts.next().flatten();
            let (Some(red), Some(green), Some(blue)) = (part(), part(), part()) else {
                return Self::Other;
            };
            if part().is_some_and(|it| it <= 0.05) {
                return Self::Clear;
            }
            // A cast from a float saturates.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it saturates"
            )]
            return Self::Rgb([red, green, blue].map(|it| it as u8));
        }
        match value {
            "white" | "snow" | "ivory" | "ghostwhite" | "floralwhite" => WHITE,
            "whitesmoke" => Self::Rgb([245; 3]),
            "black" => Self::Rgb([0; 3]),
            "transparent" => Self::Clear,
            _ => Self::Other,
        }
    }

    fn of_digits(digits: &str) -> Self {
        let one = |at: usize| digits.get(at..=at).map(|it| it.repeat(2));
        let two = |at: usize| digits.get(at..at + 2).map(str::to_owned);
        let parts = match digits.len() {
            3 | 4 => [one(0), one(1), one(2)],
            6 | 8 => [two(0), two(2), two(4)],
            _ => return Self::Other,
        };
        let parts = parts.map(|it| u8::from_str_radix(&it.unwrap_or_default(), 16));
        match parts {
            [Ok(red), Ok(green), Ok(blue)] => Self::Rgb([red, green, blue]),
            _ => Self::Other,
        }
    }

    /// Whether nobody tells it from that behind it.
    pub(in crate::extract::documents) fn is_lost_on(self, background: Self) -> bool {
        match (self, background) {
            (Self::Clear, _) => true,
            (Self::Rgb(it), Self::Rgb(background)) => {
                it.iter().zip(background).all(|(a, b)| a.abs_diff(b) <= 24)
            }
            _ => false,
        }
    }
}

/// What a sheet says of tags, classes and ids.
#[derive(Default)]
pub(super) struct Sheet {
    tags: HashMap<String, Style>,
    classes: HashMap<String, Style>,
    ids: HashMap<String, Style>,
}

/// Rules of one kind that are kept.
const MAX_RULES: usize = 10_000;

impl Sheet {
    /// Adds what a `<style>` says.
    pub(super) fn add(&mut self, css: &str) {
        for block in css.split('}') {
            let Some((before, declarations)) = block.rsplit_once('{') else {
                continue;
            };
            let style = Style::of(declarations);
            if style == Style::default() {
                continue;
            }
            // Behind the brace of a condition, if there is one.
            let selectors = before.rsplit(['{', ';', '/']).next().unwrap_or_default();
            for selector in selectors.split(',').take(MAX_DECLARATIONS) {
                let last = selector.split_whitespace().last().unwrap_or_default();
                self.put(last, style);
            }
        }
    }

    /// For `a.b#c`: that in which it ends.
    fn put(&mut self, selector: &str, style: Style) {
        let at = selector.rfind(['.', '#']);
        let (kind, name) = match at.and_then(|it| selector.split_at_checked(it)) {
            Some((_, it)) => it.split_at_checked(1).unwrap_or_default(),
            None => ("", selector),
        };
        let styles = match kind {
            "." => &mut self.classes,
            "#" => &mut self.ids,
            _ => &mut self.tags,
        };
        if styles.len() < MAX_RULES && !name.is_empty() && !name.contains([':', '[']) {
            let known = styles.entry(name.to_ascii_lowercase()).or_default();
            *known = known.and(style);
        }
    }

    pub(super) fn of_tag(&self, name: &str) -> Style {
        get(&self.tags, name)
    }

    pub(super) fn of_class(&self, name: &str) -> Style {
        get(&self.classes, name)
    }

    pub(super) fn of_id(&self, name: &str) -> Style {
        get(&self.ids, name)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.classes.is_empty() && self.ids.is_empty()
    }
}

/// Whatever its case: one that is told of in two hides in both.
fn get(styles: &HashMap<String, Style>, name: &str) -> Style {
    if styles.is_empty() {
        return Style::default();
    }
    let style = if name.bytes().any(|it| it.is_ascii_uppercase()) {
        styles.get(&name.to_ascii_lowercase())
    } else {
        styles.get(name)
    };
    style.copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_known_by_its_style() {
        for hidden in [
            "display:none",
            "DISPLAY : none !important",
            "visibility:hidden",
            "opacity:0.0",
            "font-size:1px",
            "font: 0/0 a",
            "position:absolute; left:-9999px",
            "text-indent: -10000px",
            "transform: scale(0)",
            "transform:translateX(-200vw)",
            "width:0;height:0;overflow:hidden",
            "clip: rect(0 0 0 0)",
        ] {
            assert!(Style::of(hidden).hides, "{hidden}");
        }
        for seen in [
            "display:block",
            "opacity:0.5",
            "font-size:12px",
            "left:-3px",
            "width:100%;overflow:hidden",
            "width:1px",
            "transform:translateX(-50%)",
            "é:ü;;:;",
        ] {
            assert!(!Style::of(seen).hides, "{seen}");
        }
    }

    #[test]
    fn a_colour_is_lost_on_one_that_is_much_the_same() {
        let lost = [
            ("#fff", "white"),
            ("#fefefe", "#FFFFFF"),
            ("rgb(250, 250,250)", "white"),
        ];
        for (colour, background) in lost {
            let background = Colour::of(&background.to_ascii_lowercase());
            assert!(Colour::of(colour).is_lost_on(background), "{colour}");
        }
        assert!(Colour::of("rgba(0,0,0,0)").is_lost_on(WHITE));
        assert!(!Colour::of("#000").is_lost_on(WHITE));
        assert!(!Colour::of("#ä").is_lost_on(WHITE));
        assert!(!Colour::of("var(--x)").is_lost_on(Colour::Other));
    }
}
