//! The form that files come in.

use agentdrop_testkit::http::{Answer, send};

use super::{KEY, Things, assert_refused};
use crate::operations::{Field, operations};
use crate::world::{World, blobs, rows};

/// Zeros, with which no secret can be agreed on.
const NO_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const FORM: &str = "multipart/form-data";

#[tokio::test]
async fn every_field_of_the_form_is_checked() {
    let mut tried = 0;
    for things in &Things::each().await {
        let (world, salt) = (&things.world, "A".repeat(43) + "=");
        let before = (rows(&world.server).await, blobs(&world.server));
        let create = operations()
            .into_iter()
            .find(|it| it.id == "transfers_create");
        let good = [
            ("sender", "alice"),
            ("recipient", "bob"),
            ("is_encrypted", "true"),
            ("encryption_salt", &*salt),
        ];
        for Field { name, .. } in create.unwrap().fields(FORM).unwrap() {
            let long = "x".repeat(70_000);
            let mut bad: Vec<Vec<u8>> = vec![
                b"\0".to_vec(),
                b"a\0b".to_vec(),
                b"\xff\xfe".to_vec(),
                b"\xc0\x80".to_vec(),
                b"\xed\xa0\x80".to_vec(),
                long.into_bytes(),
            ];
            let texts: &[&str] = match &*name {
                "auto_delete" | "encrypted" | "is_encrypted" => {
                    &["yes", "2", "truee", "null", "[]"]
                }
                "channel_id" => &["bob", "{}", "019A9F3E-5C1A-7B2D-8E4F-A1B2C3D4E5F6"],
                "encrypted_key" | "sender_signature" => &["%", "a b", "=", "\u{e9}"],
                "encryption_algorithm" => &["a b", "\u{7}", "\u{e9}", "\u{202e}"],
                "encryption_ivs" => &["[]", "[1]", "{}", "[\"AAAA\"]", "x", "[null,null]", "[["],
                "encryption_salt" => &["AAAA", "%", "[]"],
                "expires_in" => &[
                    "0m",
                    "-1h",
                    "1",
                    "h",
                    "366d",
                    "1e3h",
                    "99999999999999999999d",
                ],
                "max_downloads" => &["0", "-1", "1001", "1.5", "1e2", "NaN", "99999999999", "0x1"],
                "recipient_public_key" => &["AAAA", "%", "[]", NO_KEY],
                "transfer_id" => &[
                    "x",
                    "019D9B5C-D400-7000-8000-000000000000",
                    "019d9b5cd40070008000000000000000ff",
                    // Of another version, of another time, and none at all.
                    "019d9b5cd40040008000000000000000",
                    "00000000000070008000000000000000",
                    "ffffffffffff7fffbfffffffffffffff",
                    "00000000000000000000000000000000",
                ],
                "recipient_key_version" => &["0", "-1", "1.5", "v1", "99999999999"],
                "message" => &["\u{7}", "a\u{202e}b", "\u{1b}[2J"],
                "metadata" => &["[]", "1", "x", "{", "{\"a\":\"\\u0000\"}", "{\"a\":1e999}"],
                "mode" => &["agent", "human-to-human", "AGENT-TO-AGENT", "[]"],
                "sender_public_key" => &["AAAA", "%", KEY],
                "sender" => &["", " ", "\u{7}", "a\u{202e}b", "a\nb"],
                "files" | "recipient" | "recipient_account" => &[],
                other => panic!("{other} has no row here"),
            };
            bad.extend(texts.iter().map(|it| it.as_bytes().to_vec()));
            for value in bad {
                let mut form = FormBody::new();
                for (other, value) in good {
                    if other != name {
                        form.text(other, value.as_bytes());
                    }
                }
                form.text(&name, &value);
                form.file("a.txt", b"body");
                let answer = form.send(world).await;
                let shown = String::from_utf8_lossy(&value[..value.len().min(20)]).into_owned();
                assert_refused(&format!("{name}={shown}"), &answer, &name);
                tried += 1;
            }
            let mut form = FormBody::new();
            for (other, value) in good {
                form.text(other, value.as_bytes());
            }
            form.file("a.txt", b"body");
            if name == "files" {
                continue;
            }
            form.text(&name, b"1").text(&name, b"2");
            assert_refused(&format!("{name} twice"), &form.send(world).await, &name);
        }
        assert_eq!((rows(&world.server).await, blobs(&world.server)), before);
    }
    assert!(tried > 250, "{tried}");
}

#[tokio::test]
async fn what_is_no_form_is_refused_and_leaves_nothing() {
    for world in &World::each().await {
        let before = (rows(&world.server).await, blobs(&world.server));
        let mut whole = FormBody::new();
        whole.text("sender", b"alice").text("recipient", b"bob");
        whole.file("a.txt", &[7; 10_000]);
        let whole = whole.finish();

        // Cut off anywhere, though the length says that this is all.
        for cut in (0..whole.len())
            .step_by(701)
            .chain(whole.len() - 60..whole.len() - 4)
        {
            let answer = FormBody::send_raw(world, &whole[..cut]).await;
            assert_refused(&format!("cut at {cut}"), &answer, "body");
        }
        let long = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{}\"\r\n\r\nx\r\n--{BOUNDARY}--\r\n",
            "x".repeat(60_000)
        );
        let heads = format!(
            "--{BOUNDARY}\r\n{}\r\n\r\nx\r\n--{BOUNDARY}--\r\n",
            "a: b\r\n".repeat(100)
        );
        for bad in [
            &b""[..],
            b"\r\n",
            b"nothing of the kind",
            b"--other\r\n\r\n--other--",
            b"--BoUnDaRy",
            b"--BoUnDaRy--",
            b"--BoUnDaRy\r\n\r\n\r\n--BoUnDaRy--",
            b"--BoUnDaRy\r\nContent-Disposition: form-data\r\n\r\nx\r\n--BoUnDaRy--\r\n",
            b"--BoUnDaRy\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\nx\r\n--BoUnDaRy--\r\n",
            b"--BoUnDaRy\r\nContent-Disposition: form-data; name=\"files\"\r\n\r\nx\r\n--BoUnDaRy--\r\n",
            b"--BoUnDaRy\r\nContent-Disposition: form-data; name=\"sender\"; filename=\"x\"\r\n\r\nx\r\n--BoUnDaRy--\r\n",
            b"--BoUnDaRy\r\nno header\r\n\r\nx\r\n--BoUnDaRy--\r\n",
            b"--BoUnDaRy\r\n\0: \0\r\n\r\nx\r\n--BoUnDaRy--\r\n",
            long.as_bytes(),
            heads.as_bytes(),
        ] {
            let shown = String::from_utf8_lossy(&bad[..bad.len().min(90)]).into_owned();
            let answer = FormBody::send_raw(world, bad).await;
            assert_eq!(answer.status, 400, "{shown:?}: {:?}", answer.json());
            let error = answer.expect_error(400, "VALIDATION_ERROR");
            assert!(!error["details"].as_array().unwrap().is_empty(), "{shown}");
        }
        for content_type in [
            "multipart/form-data",
            "multipart/form-data; boundary",
            "multipart/form-data; boundary=\"\u{e9}\"",
            "multipart/form-data; boundary=\"unclosed",
        ] {
            let answer = FormBody::send_as(world, content_type, &whole).await;
            assert!(matches!(answer.status, 400 | 415), "{content_type}");
        }
        for content_type in [
            "",
            "application/json",
            "multipart/mixed; boundary=x",
            "text/plain",
        ] {
            let answer = FormBody::send_as(world, content_type, &whole).await;
            answer.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
        }
        // Too many of anything.
        let mut form = FormBody::new();
        for n in 0..65 {
            form.text(&format!("field{n}"), b"x");
        }
        assert_refused("65 fields", &form.send(world).await, "body");
        let mut form = FormBody::new();
        for _ in 0..101 {
            form.file("a", b"");
        }
        assert_refused("101 files", &form.send(world).await, "files");
        for name in [
            "",
            ".",
            "..",
            "a/..",
            "../",
            "a\0b",
            "a\u{202e}b",
            "a\u{7}b",
            "\u{85}",
        ] {
            let mut form = FormBody::new();
            form.text("sender", b"alice").text("recipient", b"bob");
            form.file(name, b"x");
            let answer = form.send(world).await;
            assert_eq!(answer.status, 400, "{name:?}: {:?}", answer.json());
            answer.expect_error(400, "VALIDATION_ERROR");
        }
        assert_eq!((rows(&world.server).await, blobs(&world.server)), before);
    }
}

#[tokio::test]
async fn the_head_of_a_part_cannot_fill_the_memory() {
    for world in &World::each().await {
        let before = blobs(&world.server);
        let much = vec![b'x'; 8 * 1024 * 1024];
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"");
        for start in ["", &*head] {
            let mut body = start.as_bytes().to_vec();
            body.extend_from_slice(&much);
            let answer = FormBody::send_raw(world, &body).await;
            answer.expect_error(413, "BODY_TOO_LARGE");
        }
        assert_eq!(blobs(&world.server), before);
    }
}

pub(super) const BOUNDARY: &str = "BoUnDaRy";

/// A form, part by part, with no library to mend it.
pub(super) struct FormBody(Vec<u8>);

impl FormBody {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn text(&mut self, name: &str, value: &[u8]) -> &mut Self {
        let head =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        self.part(&head, value)
    }

    pub(super) fn file(&mut self, name: &str, bytes: &[u8]) -> &mut Self {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\r\n"
        );
        self.part(&head, bytes)
    }

    fn part(&mut self, head: &str, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(bytes);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    pub(super) fn finish(&self) -> Vec<u8> {
        [&self.0[..], format!("--{BOUNDARY}--\r\n").as_bytes()].concat()
    }

    async fn send(&self, world: &World) -> Answer {
        Self::send_raw(world, &self.finish()).await
    }

    async fn send_raw(world: &World, body: &[u8]) -> Answer {
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        Self::send_as(world, &content_type, body).await
    }

    async fn send_as(world: &World, content_type: &str, body: &[u8]) -> Answer {
        let http = &world.server.http;
        let request = http.request("POST", "/v1/transfers", &world.account.key);
        let request = request.header("content-type", content_type);
        send(request.body(body.to_vec())).await
    }
}
