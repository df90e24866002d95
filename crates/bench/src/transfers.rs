//! Small files, sent as forms, as fast as they are taken.

use std::io;

use serde_json::Value;

use crate::connection::{request, wrong};
use crate::load::{self, Load};
use crate::world::Account;

/// What stands between the parts of a form, and occurs in no file of ours.
const BOUNDARY: &str = "agentdrop-bench-4f1c2b7d9e";

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    load: Load,
    /// Bytes of each file
    #[arg(long, default_value_t = 4096)]
    bytes: usize,
    /// Leave the encryption to the server
    #[arg(long)]
    plain: bool,
}

pub(crate) async fn run(args: Args) -> io::Result<Value> {
    let accounts = args.load.place.world()?.accounts;
    let of = accounts.iter().cycle().take(args.load.callers);
    let callers = of.map(|it| Ok(vec![transfer(it, args.bytes, args.plain)?]));
    let callers = callers.collect::<io::Result<Vec<_>>>()?;
    load::run(&args.load, callers, 201).await
}

/// The request that sends a file from the first agent of an account to its last.
pub(crate) fn transfer(account: &Account, bytes: usize, plain: bool) -> io::Result<Vec<u8>> {
    let [sender, .., recipient] = account.agents.as_slice() else {
        return Err(wrong("an account of the world has no two agents"));
    };
    Ok(form(account, &sender.slug, &recipient.slug, bytes, plain))
}

/// A form as the clients send it, with a file of as many bytes: sealed is what looks like it, for no
/// server can tell.
pub(crate) fn form(
    account: &Account,
    sender: &str,
    recipient: &str,
    bytes: usize,
    plain: bool,
) -> Vec<u8> {
    let mut fields = vec![("sender", sender), ("recipient", recipient)];
    if !plain {
        fields.extend([
            ("is_encrypted", "true"),
            ("encryption_algorithm", "X25519-HKDF-AES-256-GCM"),
            (
                "encryption_salt",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            ),
            ("encryption_ivs", r#"["AAAAAAAAAAAAAAAA"]"#),
        ]);
    }
    with_file(account, &fields, bytes)
}

/// The request that sends a small file from the first agent of an account to a person, whoever that
/// is. The server encrypts it.
pub(crate) fn to_person(account: &Account, email: &str) -> io::Result<Vec<u8>> {
    let sender = account.agents.first();
    let sender = sender.ok_or_else(|| wrong("an account of the world has no agents"))?;
    let fields = [
        ("sender", &*sender.slug),
        ("recipient", email),
        ("mode", "agent-to-human"),
    ];
    Ok(with_file(account, &fields, 10))
}

/// A form of these fields, and a file of as many bytes.
fn with_file(account: &Account, fields: &[(&str, &str)], bytes: usize) -> Vec<u8> {
    let mut body = Vec::new();
    let mut part = |about: &str, value: &[u8]| {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name={about}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    };
    for (name, value) in fields {
        part(&format!("\"{name}\""), value.as_bytes());
    }
    let file: Vec<u8> = (0..=u8::MAX).cycle().take(bytes).collect();
    let about = "\"files\"; filename=\"small.bin\"\r\nContent-Type: application/octet-stream";
    part(about, &file);
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    request("POST /v1/transfers", &account.key, &content_type, &body)
}
