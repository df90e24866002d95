//! Links of Windows: [MS-SHLLINK] 2.1 to 2.4.

/// What a link says, as far as it is read.
#[derive(Debug, Default)]
pub(super) struct Link {
    target: String,
    relative: String,
    arguments: String,
    icon: String,
    extra: String,
}

const HAS_TARGET: u32 = 1;
const HAS_INFO: u32 = 1 << 1;
const HAS_NAME: u32 = 1 << 2;
const HAS_RELATIVE: u32 = 1 << 3;
const HAS_FOLDER: u32 = 1 << 4;
const HAS_ARGUMENTS: u32 = 1 << 5;
const HAS_ICON: u32 = 1 << 6;
const IS_UNICODE: u32 = 1 << 7;

/// Reads one; nothing where it breaks off.
pub(super) fn read(bytes: &[u8]) -> Option<Link> {
    let flags = u32::from_le_bytes(bytes.get(0x14..0x18)?.try_into().ok()?);
    let mut rest = bytes.get(0x4C..)?;
    let mut link = Link::default();
    if flags & HAS_TARGET != 0 {
        let ids = counted(&mut rest, 0)?;
        link.target = any_text(ids);
    }
    if flags & HAS_INFO != 0 {
        let length = u32::from_le_bytes(rest.get(..4)?.try_into().ok()?) as usize;
        let info = rest.get(..length)?;
        rest = rest.get(length.max(4)..)?;
        link.target.push(' ');
        link.target.push_str(&any_text(info));
    }
    let mut string = |bit: u32| -> Option<String> {
        if flags & bit == 0 {
            return Some(String::new());
        }
        if flags & IS_UNICODE == 0 {
            let text = counted(&mut rest, 0)?;
            return Some(String::from_utf8_lossy(text).into_owned());
        }
        let length = usize::from(u16::from_le_bytes(rest.get(..2)?.try_into().ok()?)) * 2;
        let text = rest.get(2..2 + length)?;
        rest = rest.get(2 + length..)?;
        Some(wide(text))
    };
    string(HAS_NAME)?;
    link.relative = string(HAS_RELATIVE)?;
    string(HAS_FOLDER)?;
    link.arguments = string(HAS_ARGUMENTS)?;
    link.icon = string(HAS_ICON)?;
    link.extra = any_text(rest.get(..rest.len().min(8192)).unwrap_or_default());
    Some(link)
}

impl Link {
    /// All that it says in one line.
    pub(super) fn all(&self) -> String {
        let Self {
            target,
            relative,
            arguments,
            icon,
            extra,
        } = self;
        // Icons are of all programs; only one from the net is worth a look.
        let icon = if icon.starts_with("\\\\") { icon } else { "" };
        format!("{target} {relative} {arguments} {icon} {extra}")
    }

    /// The window of properties shows 260 characters.
    pub(super) fn hides_arguments(&self) -> bool {
        self.arguments.chars().count() > 260 || self.arguments.contains("        ")
    }
}

/// Every text of some length, of one byte a character or two.
pub(super) fn any_text(bytes: &[u8]) -> String {
    let mut out = String::new();
    let (mut narrow, mut broad) = (String::new(), String::new());
    let is_shown = |it: u8| (0x20..0x7F).contains(&it);
    let mut flush = |run: &mut String, least: usize| {
        if run.len() >= least && out.len() < 64 << 10 {
            out.push_str(run);
            out.push(' ');
        }
        run.clear();
    };
    for it in bytes {
        if is_shown(*it) {
            narrow.push(char::from(*it));
        } else {
            flush(&mut narrow, 4);
        }
    }
    flush(&mut narrow, 4);
    for start in 0..2 {
        for pair in bytes.get(start..).unwrap_or_default().chunks_exact(2) {
            match pair {
                [low, 0] if is_shown(*low) => broad.push(char::from(*low)),
                _ => flush(&mut broad, 4),
            }
        }
        flush(&mut broad, 4);
    }
    out
}

/// As many bytes as the two before them say.
fn counted<'a>(rest: &mut &'a [u8], more: usize) -> Option<&'a [u8]> {
    let length = usize::from(u16::from_le_bytes(rest.get(..2)?.try_into().ok()?)) + more;
    let bytes = rest.get(2..2 + length)?;
    *rest = rest.get(2 + length..)?;
    Some(bytes)
}

fn wide(bytes: &[u8]) -> String {
    let units = bytes
        .chunks_exact(2)
        .map(|it| u16::from_le_bytes([it[0], it[1]]));
    char::decode_utf16(units)
        .map(|it| it.unwrap_or('\u{fffd}'))
        .collect()
}
