//! `agentdrop openapi`: the document of the server's API.

use crate::exit::Exit;
use crate::printer::Printer;

/// Prints it; it is JSON by itself.
pub(crate) fn run(printer: &Printer) -> Exit {
    let mut document = agentdrop_server::openapi();
    document.push('\n');
    printer.raw(&document);
    Exit::Done
}
