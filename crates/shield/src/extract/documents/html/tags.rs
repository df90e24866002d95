//! What the names of elements and attributes mean.

/// Whether text goes on through it, as a word does through `<b>`. All others end a block.
pub(super) fn is_inline(tag: &str) -> bool {
    // Elements of somebody's own are inline until a style says otherwise.
    tag.contains('-')
        || matches!(
            tag,
            "a" | "abbr"
                | "acronym"
                | "b"
                | "bdi"
                | "bdo"
                | "big"
                | "cite"
                | "code"
                | "data"
                | "del"
                | "dfn"
                | "em"
                | "font"
                | "i"
                | "img"
                | "ins"
                | "kbd"
                | "label"
                | "mark"
                | "meter"
                | "nobr"
                | "output"
                | "progress"
                | "q"
                | "rp"
                | "rt"
                | "ruby"
                | "s"
                | "samp"
                | "small"
                | "span"
                | "strike"
                | "strong"
                | "sub"
                | "sup"
                | "time"
                | "tspan"
                | "tt"
                | "u"
                | "var"
                | "wbr"
        )
}

/// Whether it has no end.
pub(super) fn is_void(tag: &str) -> bool {
    matches!(
        tag,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "frame"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

/// Whether its content is not drawn, or only where something else is not.
pub(super) fn is_hidden(tag: &str) -> bool {
    matches!(
        tag,
        "template"
            | "noscript"
            | "noembed"
            | "noframes"
            | "datalist"
            | "dialog"
            | "object"
            | "audio"
            | "video"
            | "canvas"
            | "iframe"
            | "metadata"
            | "desc"
    )
}

/// Whether an open one of the first ends where the second begins.
pub(super) fn is_ended_by(open: &str, next: &str) -> bool {
    match open {
        "p" => !is_inline(next) && !is_void(next),
        "li" => next == "li",
        "dt" | "dd" => matches!(next, "dt" | "dd"),
        "td" | "th" => matches!(next, "td" | "th" | "tr" | "tbody"),
        "tr" => matches!(next, "tr" | "tbody" | "tfoot"),
        "option" => matches!(next, "option" | "optgroup"),
        _ => false,
    }
}

/// Attributes whose values are judged by the name, with others together.
pub(super) const NAMED: &[&str] = &[
    "alt",
    "aria-description",
    "aria-label",
    "content",
    "label",
    "placeholder",
    "summary",
    "title",
    "value",
];
