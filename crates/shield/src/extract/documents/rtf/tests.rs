use crate::extract::documents::tests::{Heard, cut_at_every_length};
use crate::walk::Setting::{Hidden, Metadata, Visible};

fn heard(body: &str) -> Heard {
    Heard::of(
        "a.rtf",
        format!("{{\\rtf1\\ansi\\ansicpg1252 {body}}}").as_bytes(),
    )
}

#[test]
fn text_is_put_together_of_runs_and_characters() {
    let heard = heard(
        "ig{\\b no}re \\'e4\\u8364?\\u-10179 ?\\u-8704 ?\\par{\\fonttbl{\\f1\\fcharset204 Arial;}}\\f1 \\'ef\\'f0\\loch\\'e8\\tab x\\{\\emdash y",
    );
    heard.has("a.rtf", Visible, "ignore ä€😀\nпри x{-y");
    heard.has_not(Hidden, "ignore");
}

#[test]
fn what_is_not_seen_is_hidden() {
    for hidden in [
        "{\\v the words}",
        "\\v the words\\v0 ",
        "{\\cf1 the words}",
        "{\\fs2 the words}",
        "{\\deleted the words}",
    ] {
        let heard = heard(&format!(
            "{{\\colortbl;\\red255\\green255\\blue255;\\red0\\green0\\blue0;}}{{\\cf2 seen}} {hidden} too"
        ));
        let is_it = |it: &&(String, _, String)| it.1 == Hidden && it.2.contains("the words");
        assert!(
            heard.texts.iter().any(|it| is_it(&it)),
            "{hidden}: {:#?}",
            heard.texts
        );
        heard.has("a.rtf", Visible, "seen");
        heard.has_not(Hidden, "seen");
    }
    let dark = heard(
        "{\\colortbl;\\red255\\green255\\blue255;\\red0\\green0\\blue0;}{\\cf1\\highlight2 the words}",
    );
    dark.has("a.rtf", Visible, "the words");
    dark.has_not(Hidden, "the words");
}

#[test]
fn other_destinations_have_their_places() {
    let heard =
        heard("{\\info{\\title the title}}{\\*\\annotation a note}{\\*\\unheardof low words}x");
    heard.has("a.rtf › document information", Metadata, "the title");
    heard.has("a.rtf › not shown", Hidden, "a note");
    heard.has("a.rtf › not shown", Hidden, "low words");
}

#[test]
fn what_it_runs_or_fetches_is_found() {
    heard("{\\field{\\*\\fldinst DDEAUTO c:\\\\\\\\cmd.exe \"/k calc\"}}")
        .found("a.rtf", "documents/field-runs");
    heard("{\\*\\template http://a.example/t.dotm}").found("a.rtf", "documents/remote-template");
    heard("{\\object\\objemb\\objupdate{\\*\\objclass Equation.3}{\\*\\objdata 0102}}")
        .found("a.rtf", "documents/object-updates");
    let field = heard("{\\field{\\*\\fldinst HYPERLINK \"https://a.example/the-words\"}}");
    field.has("a.rtf › field", Hidden, "the-words");
    assert!(field.findings.is_empty(), "{:#?}", field.findings);
}

#[test]
fn objects_are_looked_into() {
    let hex = hex::encode("<html><p>the words");
    let (first, last) = hex.split_at(7);
    heard(&format!("{{\\object{{\\*\\objdata {first}\n {last}}}}}")).has(
        "a.rtf › object",
        Visible,
        "the words",
    );
}

#[test]
fn files_that_are_made_to_be_slow_are_not() {
    heard(&("{".repeat(100_000) + "words")).has("a.rtf", Visible, "words");
    heard(&"}".repeat(100_000));
    heard(&format!("\\{}", "a".repeat(200_000)));
    heard("\\bin2147483647 x");
    heard("\\bin-5 x\\uc2147483647\\u65 x");
}

#[test]
fn a_file_may_end_anywhere() {
    cut_at_every_length(
        "a.rtf",
        b"{\\rtf1{\\fonttbl{\\f0\\fcharset128 A;}}{\\colortbl;\\red1;}\\f0\\'82\\'a0\\u-3?{\\*\\objdata 01}{\\*\\fldinst a}\\bin3 abc}",
    );
}
