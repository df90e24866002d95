//! `agentdrop show`: shows one transfer.

use agentdrop_client::{ReceiptCheck, SealedAs, folder_name};
use agentdrop_protocol::TransferId;
use agentdrop_protocol::text::Message;
use serde_json::json;

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::hearsay::judged;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;

/// Show one transfer
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The transfer, sent or received
    #[arg(value_name = "TRANSFER")]
    id: TransferId,
}

/// Shows one transfer.
pub(crate) async fn run(args: &Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.caller()?.client;
    let it = client.transfer(args.id).await?;

    let sealed_as = SealedAs::of(&it);
    let is_native = sealed_as == SealedAs::Native;
    let mut receipts = Vec::new();
    for delivery in &it.deliveries {
        receipts.push(client.check_receipt(&it, delivery).await?);
    }

    let judged = judged(it).await?;
    let it = &judged.it;
    let mut said = judged.json();
    said["security"] = json!(sealed_as.as_str());
    for (n, receipt) in receipts.iter().enumerate() {
        // Beside what the server says of it, which is the receipt itself.
        said["deliveries"][n]["receipt_check"] = json!(receipt.as_str());
    }
    printer.json(&said);
    printer.bare(it.status.as_str());
    let now = human::now();
    printer.heading(&it.id.to_string());
    let sealed = match &it.encryption_algorithm {
        Some(algorithm) => format!("{}, {algorithm}", sealed_as.as_str()),
        None if it.is_encrypted => "by its sender".to_owned(),
        None => "plaintext: the server can read it".to_owned(),
    };
    let message = it.message.as_ref().map(Message::as_str);
    let mut fields = vec![
        ("status", it.status.to_string()),
        ("from", it.sender.to_string()),
        ("to", it.recipient.clone()),
        (
            "sent",
            format!("{}, {}", human::moment(it.created_at, now), it.created_at),
        ),
        (
            "expires",
            format!("{}, {}", human::moment(it.expires_at, now), it.expires_at),
        ),
        (
            "downloads",
            format!("{} of {}", it.downloads, it.max_downloads),
        ),
        ("sealed", sealed),
        ("message", message.unwrap_or_default().to_owned()),
    ];
    for file in &it.files {
        let size = file.size;
        fields.push(match folder_name(it, &file.name) {
            Some(folder) => ("folder", format!("{folder}/, {size} bytes as sent, packed")),
            None => ("file", format!("{}, {size} bytes as sent", file.name)),
        });
    }
    for (delivery, receipt) in it.deliveries.iter().zip(&receipts) {
        let reason = delivery.reason.as_ref().map(|it| format!(": {it}"));
        let signed = if is_native {
            format!("; receipt: {}", receipt.as_str())
        } else {
            String::new()
        };
        let (status, at) = (delivery.status, human::moment(delivery.at, now));
        fields.push((
            "delivery",
            format!("{status} {at}{}{signed}", reason.unwrap_or_default()),
        ));
    }
    fields.retain(|(_, value)| !value.is_empty());
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    printer.fields(&fields);
    judged.say(printer);
    if receipts.contains(&ReceiptCheck::NotGenuine) {
        let message = "the recipient did not sign what the server says of a delivery";
        printer.warning(
            message,
            "ask the recipient; do not trust this server before you know why",
        );
    }
    Ok(Exit::Done)
}
