//! The only place that prints.
//!
//! What was asked for goes to standard output, everything else to standard error. Each line passes
//! [`printable`], so nothing a stranger chose can act on the terminal.

use std::env;
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::os::fd::AsFd as _;
use std::sync::OnceLock;
use std::thread;

use agentdrop_protocol::text::printable;
use clap::builder::StyledStr;
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::json;
use tokio::sync::oneshot;

use crate::exit::{Failure, Result};

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const CYAN: &str = "\x1b[36m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One JSON object.
    Json,
    /// The bare result, for scripts.
    Quiet,
    /// Text for people.
    Text,
}

/// Prints. What a mode does not print is passed over, so commands say everything there is to say.
#[derive(Debug)]
pub(crate) struct Printer {
    mode: Mode,
    marks: bool,
    color: bool,
    color_stderr: bool,
    failed: OnceLock<io::Error>,
}

/// How one of several things went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mark {
    /// Well.
    Ok,
    /// Badly.
    Failed,
    /// It was not tried.
    Skipped,
}

impl Printer {
    /// Prints in this mode.
    pub(crate) fn new(mode: Mode) -> Self {
        let (stdout, stderr) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let color = env::var_os("NO_COLOR").is_none_or(|it| it.is_empty())
            && env::var_os("TERM").is_some_and(|it| it != "dumb");
        Self {
            mode,
            marks: stdout && is_utf8(),
            color: color && stdout,
            color_stderr: color && stderr,
            failed: OnceLock::new(),
        }
    }

    /// What is printed.
    pub(crate) const fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether moving bars may be drawn.
    pub(crate) fn draws(&self) -> bool {
        self.mode == Mode::Text && io::stderr().is_terminal()
    }

    /// Whether somebody is there to be asked.
    pub(crate) fn asks(&self) -> bool {
        self.draws() && io::stdin().is_terminal()
    }

    /// Asks, and waits for the answer; whatever is no yes is a no.
    pub(crate) async fn agreed(&self, question: &str) -> Result<bool> {
        let mut stderr = io::stderr();
        write!(stderr, "{} [y/N] ", printable(question)).ok();
        let (tell, told) = oneshot::channel();
        // Not a thread of the runtime, which would wait for it when a signal ends the run.
        thread::spawn(move || {
            let mut line = String::new();
            tell.send(io::stdin().read_line(&mut line).map(|_| line))
        });
        let line = told.await.map_err(|_| Failure::interrupted())?;
        let line = line.map_err(|error| Failure::io("read the answer", &error))?;
        let answer = line.trim().to_lowercase();
        Ok(matches!(&*answer, "y" | "yes"))
    }

    /// The one object of this run.
    pub(crate) fn json(&self, value: &impl Serialize) {
        if self.mode == Mode::Json {
            match serde_json::to_string(value) {
                Ok(text) => self.out(&text),
                Err(error) => self.fail(error.into()),
            }
        }
    }

    /// A line of the bare result.
    pub(crate) fn bare(&self, text: &str) {
        if self.mode == Mode::Quiet {
            self.out(&printable(text));
        }
    }

    /// A line of text.
    pub(crate) fn line(&self, text: &str) {
        if self.mode == Mode::Text {
            self.out(&printable(text));
        }
    }

    /// A line above others.
    pub(crate) fn heading(&self, text: &str) {
        if self.mode == Mode::Text {
            self.out(&paint(self.color, BOLD, &printable(text)));
        }
    }

    /// A line that something was done.
    pub(crate) fn done(&self, text: &str) {
        self.mark(Mark::Ok, text);
    }

    /// A line about one of several things.
    pub(crate) fn mark(&self, mark: Mark, text: &str) {
        if self.mode == Mode::Text {
            let sign = match (mark, self.marks) {
                (Mark::Ok, true) => "✓",
                (Mark::Failed, true) => "✗",
                (Mark::Skipped, true) => "-",
                (Mark::Ok, false) => "ok",
                (Mark::Failed, false) => "!!",
                (Mark::Skipped, false) => "--",
            };
            let sign = match mark {
                Mark::Ok => paint(self.color, GREEN, sign),
                Mark::Failed => paint(self.color, RED, sign),
                Mark::Skipped => sign.to_owned(),
            };
            self.out(&format!("{sign} {}", printable(text)));
        }
    }

    /// Named values, one a line, below a line that says what they are of.
    pub(crate) fn fields(&self, fields: &[(&str, &str)]) {
        let width = fields.iter().map(|(name, _)| name.len()).max();
        for (name, value) in fields {
            let width = width.unwrap_or_default();
            for (n, value) in value.lines().enumerate() {
                let name = if n == 0 { name } else { "" };
                self.line(format!("  {name:width$}  {value}").trim_end());
            }
        }
    }

    /// Rows under their headings; the last column may be as wide as it likes.
    pub(crate) fn table<const N: usize>(&self, headings: [&str; N], rows: &[[String; N]]) {
        let chars = |it: &str| printable(it).chars().count();
        let widths: [usize; N] = std::array::from_fn(|column| {
            let cells = rows.iter().map(|row| chars(&row[column]));
            cells.fold(chars(headings[column]), usize::max)
        });
        let line = |row: [&str; N]| {
            let mut text = String::new();
            for (cell, width) in row.into_iter().zip(widths) {
                let cell = printable(cell);
                text.push_str(&cell);
                let pad = width + 2 - cell.chars().count().min(width);
                text.extend(std::iter::repeat_n(' ', pad));
            }
            text.trim_end().to_owned()
        };
        self.heading(&line(headings));
        for row in rows {
            self.line(&line(row.each_ref().map(String::as_str)));
        }
    }

    /// Text that is made here and meant for a program or a pager: help, a man page, a script.
    pub(crate) fn raw(&self, text: &str) {
        self.raw_bytes(text.as_bytes());
    }

    /// The same, in pieces that need not be whole characters.
    pub(crate) fn raw_bytes(&self, piece: &[u8]) {
        self.written(io::stdout().lock().write_all(piece));
    }

    /// Standard output for bytes that are nobody's text. A pipe that nobody reads any more is an error there.
    pub(crate) fn taken() -> Result<File> {
        let failed = |error| Failure::io("write to standard output", &error);
        let taken = io::stdout().as_fd().try_clone_to_owned();
        taken.map(File::from).map_err(failed)
    }

    /// Help that was asked for.
    pub(crate) fn styled(&self, text: &StyledStr) {
        self.out(styled(text, self.color).trim_end());
    }

    /// What is wrong with what was typed.
    pub(crate) fn misused(&self, text: &StyledStr, hint: &str) {
        let text = text.to_string();
        // The hint says that too.
        let said = text.split("\n\nFor more information").next();
        let said = said.unwrap_or_default().trim_end();
        match said.strip_prefix("error: ") {
            Some(said) => self.error(said),
            None => said.lines().for_each(|it| to_stderr(&printable(it))),
        }
        self.hint(hint);
    }

    /// Something worth knowing beside what was asked for.
    pub(crate) fn note(&self, text: &str) {
        if self.mode == Mode::Text {
            to_stderr(&printable(text));
        }
    }

    /// Whether notes are printed.
    pub(crate) fn notes(&self) -> bool {
        self.mode == Mode::Text
    }

    /// Something that should be seen to, though what was asked for was done.
    pub(crate) fn warning(&self, message: &str, hint: &str) {
        if self.mode != Mode::Json {
            let label = paint(self.color_stderr, BOLD, "warning:");
            to_stderr(&format!("{label} {}", printable(message)));
            self.hint(hint);
        }
    }

    /// Why it was not done.
    pub(crate) fn failure(&self, failure: &Failure) {
        self.json(&json!({ "error": failure }));
        if self.mode != Mode::Json {
            // One line, whatever is in it.
            self.error(&printable(&failure.message));
            self.hint(&failure.hint);
        }
    }

    /// Whether everything arrived that was printed. That nobody reads any more is no failure.
    pub(crate) fn finish(self) -> Result<()> {
        let flushed = io::stdout().flush();
        self.written(flushed);
        match self.failed.into_inner() {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::io("write to standard output", &error))
            }
            _ => Ok(()),
        }
    }

    fn error(&self, text: &str) {
        let label = paint(self.color_stderr, RED, "error:");
        let mut lines = text.lines().map(printable);
        to_stderr(&format!("{label} {}", lines.next().unwrap_or_default()));
        lines.for_each(|it| to_stderr(&it));
    }

    fn hint(&self, hint: &str) {
        let label = paint(self.color_stderr, CYAN, "hint:");
        to_stderr(&format!("{label} {}", printable(hint)));
    }

    fn out(&self, line: &str) {
        self.written(writeln!(io::stdout().lock(), "{line}"));
    }

    fn written(&self, written: io::Result<()>) {
        if let Err(error) = written {
            self.fail(error);
        }
    }

    fn fail(&self, error: io::Error) {
        // The first one says why.
        drop(self.failed.set(error));
    }
}

/// A note while a bar is drawn: above it.
pub(crate) fn note_above(bar: &ProgressBar, text: &str) {
    bar.suspend(|| to_stderr(&printable(text)));
}

/// Where not even this can be said, nobody listens.
fn to_stderr(line: &str) {
    writeln!(io::stderr().lock(), "{line}").ok();
}

fn styled(text: &StyledStr, color: bool) -> String {
    if color {
        text.ansi().to_string()
    } else {
        text.to_string()
    }
}

fn paint(color: bool, with: &str, text: &str) -> String {
    if color {
        format!("{with}{text}{PLAIN}")
    } else {
        text.to_owned()
    }
}

/// Whether the locale says that the terminal takes UTF-8; the first variable that is set decides, POSIX §8.2.
fn is_utf8() -> bool {
    let set = |name| env::var(name).ok().filter(|it| !it.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    locale.is_some_and(|it| {
        let locale = it.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
