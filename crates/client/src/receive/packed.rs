//! Folders that their sender packed: which files they are.

use agentdrop_protocol::FileName;
use agentdrop_protocol::text::ContentType;
use agentdrop_protocol::wire::transfers::Transfer;

use super::staging::PREFIX;

/// What a folder was called that its sender packed as this file, if it is one.
pub fn folder_name<'a>(transfer: &Transfer, file: &'a FileName) -> Option<&'a str> {
    if !is_folder(transfer, file) {
        return None;
    }
    file.as_str().strip_suffix(".tar")
}

/// The type that an envelope gives to a folder, packed.
pub(crate) const FOLDER: &str = "application/vnd.agentdrop.folder+tar";

/// Whether an envelope says that this is a folder, packed; and it can be called what it was.
pub(super) fn is_packed(said: &ContentType, name: &FileName) -> bool {
    said.as_str() == FOLDER && can_be_folder(name)
}

/// Whether the transfer says that this is a folder, packed; and it can be called what it was.
pub(super) fn is_folder(listed: &Transfer, name: &FileName) -> bool {
    let said = listed.metadata.get("agentdrop");
    let said = said.and_then(|it| it.get("folders")?.as_array());
    let is_said = said.is_some_and(|it| it.iter().any(|it| it == name.as_str()));
    is_said && can_be_folder(name)
}

fn can_be_folder(name: &FileName) -> bool {
    let stem = name.as_str().strip_suffix(".tar");
    // What is called like our own folders would be taken for one, and removed.
    stem.is_some_and(|it| !it.is_empty() && !it.starts_with(PREFIX))
}
