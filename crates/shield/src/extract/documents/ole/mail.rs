//! Mails of Outlook ([MS-OXMSG](https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxmsg)):
//! one stream a property.

use std::io::Cursor;

use encoding_rs::UTF_16LE;

use super::{File, packed, stream};
use crate::budget::Step;
use crate::extract::documents::{decode, html, rtf};
use crate::walk::{Setting, Walk};

/// Takes the properties of a mail, of those that it holds, and of its attachments.
pub(super) fn read(walk: &mut Walk<'_>, file: &mut File<'_>, streams: &[String]) -> Step {
    for path in streams {
        let (folder, last) = path.rsplit_once('/').unwrap_or_default();
        let Some(property) = last.strip_prefix("__substg1.0_") else {
            continue;
        };
        let Some(bytes) = stream(walk, file, path)? else {
            continue;
        };
        let folder = folder.trim_matches('/');
        let (id, kind) = property.split_at_checked(4).unwrap_or_default();
        if folder.is_empty() {
            take(walk, file, path, id, kind, &bytes)?;
        } else {
            walk.inside(folder, |walk| take(walk, file, path, id, kind, &bytes))?;
        }
    }
    Ok(())
}

fn take(
    walk: &mut Walk<'_>,
    file: &mut File<'_>,
    path: &str,
    id: &str,
    kind: &str,
    bytes: &[u8],
) -> Step {
    let text = match kind.get(..4).unwrap_or(kind) {
        "001F" => UTF_16LE.decode_without_bom_handling(bytes).0,
        _ => decode::to_text(bytes, decode::encoding_of(bytes)),
    };
    match id {
        // The attachment itself, by the long name that stands beside it, or else the short one.
        "3701" => {
            let name = ["3707001F", "3704001F", "3707001E", "3704001E"]
                .iter()
                .find_map(|name| {
                    let beside = path.replace("37010102", name);
                    (beside != path && file.is_stream(&beside)).then_some(beside)
                });
            let name = match name {
                Some(beside) => stream(walk, file, &beside)?.unwrap_or_default(),
                None => Vec::new(),
            };
            let name: String = String::from_utf8_lossy(&name).replace('\0', "");
            let name = if name.is_empty() { "attachment" } else { &name };
            walk.look_into(name, &mut Cursor::new(bytes))
        }
        "1013" => html::read(walk, &text, Setting::Visible, 0),
        "1009" => {
            let bytes = packed::unpacked(walk, bytes)?;
            rtf::read(walk, &bytes)
        }
        "1000" => walk.text_in("body", &text, Setting::Visible),
        "3707" | "3704" | "3001" => walk.text(&text, Setting::Name),
        _ if kind.starts_with("001") => walk.text_in("headers", &text, Setting::Metadata),
        _ => Ok(()),
    }
}
