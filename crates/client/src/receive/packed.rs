//! Folders that their sender packed: which files they are.

use agentdrop_protocol::FileName;
use agentdrop_protocol::wire::transfers::Transfer;

use super::quarantine::PREFIX;

/// What a folder was called that its sender packed as this file, if it is one.
pub fn folder_name<'a>(transfer: &Transfer, file: &'a FileName) -> Option<&'a str> {
    if !is_folder(transfer, file) {
        return None;
    }
    file.as_str().strip_suffix(".tar")
}

/// Whether the transfer says that this is a folder, packed; and it can be called what it was.
pub(super) fn is_folder(listed: &Transfer, name: &FileName) -> bool {
    let said = listed.metadata.get("agentdrop");
    let said = said.and_then(|it| it.get("folders")?.as_array());
    let is_said = said.is_some_and(|it| it.iter().any(|it| it == name.as_str()));
    let stem = name.as_str().strip_suffix(".tar");
    // What is called like our own folders would be taken for one, and removed.
    is_said && stem.is_some_and(|it| !it.is_empty() && !it.starts_with(PREFIX))
}
