//! A bar on the terminal while files are on their way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agentdrop_client::{Phase, Progress, Report};
use indicatif::{ProgressBar, ProgressStyle};

use crate::printer::{Printer, note_above};

/// A bar that goes when this is dropped, however the work ends.
#[derive(Debug)]
pub(crate) struct Bar(Arc<ProgressBar>);

impl Bar {
    /// A bar, where the printer draws any.
    pub(crate) fn new(printer: &Printer) -> Self {
        let bar = if printer.draws() {
            ProgressBar::no_length()
        } else {
            ProgressBar::hidden()
        };
        let template = "{msg:8} {bar:32} {decimal_bytes:>10} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta}";
        let style = ProgressStyle::with_template(template).expect("the template is well-formed");
        Self(Arc::new(bar.with_style(style.progress_chars("=> "))))
    }

    /// What prints notes while the bar is drawn.
    pub(crate) fn notes(&self, printer: &Printer) -> impl Fn(&str) + Send + Sync + use<> {
        let (bar, prints) = (Arc::clone(&self.0), printer.notes());
        move |text: &str| {
            if prints {
                note_above(&bar, text);
            }
        }
    }

    /// What moves the bar.
    pub(crate) fn progress(&self) -> impl Progress + use<> {
        let bar = Arc::clone(&self.0);
        let resumed_bytes = AtomicU64::new(0);
        move |report: Report| {
            let doing = match report.phase {
                Phase::Reading => "reading",
                Phase::Sending => "sending",
                Phase::Fetching => "fetching",
                Phase::Opening => "opening",
                _ => "working",
            };
            let begins = bar.message() != doing;
            if begins {
                bar.set_message(doing);
            }
            bar.set_length(report.total_bytes);
            bar.set_position(report.done_bytes);
            let resumed_before = resumed_bytes.swap(report.resumed_bytes, Ordering::Relaxed);
            if begins || resumed_before != report.resumed_bytes {
                // What was done before, or in another way, says nothing of how fast this is.
                bar.tick();
                bar.reset_eta();
            }
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
