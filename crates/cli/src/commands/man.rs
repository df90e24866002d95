//! `agentdrop man`: the manual pages.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap_mangen::Man;
use serde_json::json;

use crate::args::Cli;
use crate::exit::{Exit, Failure, Result};
use crate::human;
use crate::printer::{Mode, Printer};

/// Print the manual page, or write all of them to a folder
#[derive(clap::Args)]
#[command(after_help = "To read it: agentdrop man | man -l -")]
pub(crate) struct Args {
    /// Where to write all pages, one a command; the folder is made if there is none
    dir: Option<PathBuf>,
}

/// Prints the page, or writes all of them.
pub(crate) fn run(args: &Args, printer: &Printer) -> Result<Exit> {
    let Some(folder) = &args.dir else {
        let mut page = Vec::new();
        let rendered = Man::new(Cli::command()).render(&mut page);
        rendered.map_err(|error| Failure::io("write the page", &error))?;
        let page = String::from_utf8_lossy(&page);
        if printer.mode() == Mode::Json {
            printer.json(&json!({ "page": page }));
        } else {
            printer.raw(&page);
        }
        return Ok(Exit::Done);
    };
    let written = write_all(folder);
    let pages =
        written.map_err(|error| Failure::io(&format!("write to {}", folder.display()), &error))?;
    printer.json(&json!({ "pages": pages }));
    for page in &pages {
        printer.bare(&page.display().to_string());
    }
    let pages = human::count(pages.len(), "page");
    printer.done(&format!("wrote {pages} to {}", folder.display()));
    Ok(Exit::Done)
}

fn write_all(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)?;
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("agentdrop") && name.ends_with(".1") {
            pages.push(entry.path());
        }
    }
    pages.sort();
    Ok(pages)
}
