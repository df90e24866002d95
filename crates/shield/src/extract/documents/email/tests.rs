use crate::extract::documents::tests::{Heard, cut_at_every_length};
use crate::walk::Setting::{Hidden, Metadata, Name, Visible};

fn heard(mail: &str) -> Heard {
    let mail = format!("From: a@a.example\nSubject: hi\n{mail}").replace('\n', "\r\n");
    Heard::of("a.eml", mail.as_bytes())
}

#[test]
fn headers_are_read_as_they_are_meant() {
    let heard = heard("X-A: =?utf-8?q?ig=6Eore_?=\n =?utf-8?B?YWxs?= of\n that\n\nthe body");
    heard.has("a.eml › headers", Metadata, "X-A: ignore all of that");
    heard.has("a.eml", Visible, "the body");
}

#[test]
fn a_body_is_read_through_its_encoding() {
    let base64 = heard(
        "Content-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: BASE64\n\n0NLJ\n18XU\n",
    );
    base64.has("a.eml", Visible, "привет");
    let quoted = heard(
        "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nig=\nnore =C3=A4 = 5",
    );
    quoted.has("a.eml", Visible, "ignore ä = 5");
    quoted.has("a.eml › body", Visible, "ignore ä = 5");
    let page = heard("Content-Type: text/html\n\n<p>seen<p hidden>the words");
    page.has("a.eml › hidden text", Hidden, "the words");
}

#[test]
fn every_part_is_read_and_what_is_between_them() {
    let heard = heard(
        "Content-Type: multipart/mixed;\n boundary=\"x y\"\n\nbefore the parts\n--x y\n\
         Content-Type: multipart/alternative; boundary=z\n\n--z\n\nplain words\n--z\n\
         Content-Type: text/html\n\n<p>marked <b>words</b>\n--z--\n--x y\n\
         Content-Type: application/octet-stream; name*0*=utf-8''a%20; name*1=\"b.html\"\n\
         Content-Transfer-Encoding: base64\n\nPGh0bWw+aW4gYSBmaWxl\n--x y\n\
         Content-Type: message/rfc822\n\nFrom: b@b.example\nSubject: inner words\n\nnested words\n\
         --x y--\nbehind the parts",
    );
    heard.has("a.eml › part 1 › part 1", Visible, "plain words");
    heard.has("a.eml › part 1 › part 2", Visible, "marked words");
    heard.has("a.eml › part 2", Name, "a b.html");
    heard.has("a.eml › part 2 › a b.html", Visible, "in a file");
    heard.has(
        "a.eml › part 3 › message › headers",
        Metadata,
        "inner words",
    );
    heard.has("a.eml › part 3 › message", Visible, "nested words");
    heard.has("a.eml › between parts", Hidden, "before the parts");
    heard.has("a.eml › between parts", Hidden, "behind the parts");
}

#[test]
fn parts_without_an_end_or_a_beginning_are_read() {
    heard("Content-Type: multipart/mixed; boundary=x\n\n--x\n\nthe words").has(
        "a.eml › part 1",
        Visible,
        "the words",
    );
    heard("Content-Type: multipart/mixed; boundary=x\n\nthe words").has(
        "a.eml",
        Visible,
        "the words",
    );
    heard("Content-Type: multipart/mixed\n\nthe words").has("a.eml", Visible, "the words");
}

#[test]
fn a_mailbox_has_many_mails() {
    let mail = "From a@a.example Mon\nFrom: a\nSubject: one\n\nfirst words\n\nFrom b@b.example Tue\nFrom: b\nSubject: two\n\nmore words\n";
    let heard = Heard::of("a.mbox", mail.as_bytes());
    heard.has("a.mbox › mail 1", Visible, "first words");
    heard.has("a.mbox › mail 2", Visible, "more words");
}

#[test]
fn mail_that_is_made_to_be_slow_is_not() {
    let nested = "Content-Type: message/rfc822\n\n".repeat(50_000);
    heard(&format!("{nested}the words"));
    let nested: Vec<String> = (0..2_000)
        .map(|it| format!("Content-Type: multipart/mixed; boundary={it}\n\n--{it}\n"))
        .collect();
    heard(&nested.concat());
    heard(&format!(
        "Content-Type: multipart/mixed; boundary=x\n\n{}",
        "--x\n\n".repeat(160_000)
    ))
    .found("", "resource-limit/entries");
    heard(&"=?".repeat(100_000));
    heard(&format!("Content-Type: a;{}\n\n", "a=b;".repeat(50_000)));
}

#[test]
fn mail_may_end_anywhere() {
    let mail = "From: =?utf-8?b?YQ==?=\nSubject: a\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\
        Content-Type: text/html; charset=\"utf-8\"\nContent-Transfer-Encoding: quoted-printable\n\n<p>=C3=A4\n--x\n\
        Content-Disposition: attachment; filename*=''%41\n\nMQ==\n--x--\n";
    cut_at_every_length("a.eml", mail.as_bytes());
}
