//! A bar on the terminal while files are on their way.

use std::sync::Arc;

use agentdrop_client::{Phase, Progress, Report};
use indicatif::{ProgressBar, ProgressStyle};

use crate::printer::Printer;

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

    /// What moves the bar.
    pub(crate) fn progress(&self) -> impl Progress + 'static {
        let bar = Arc::clone(&self.0);
        move |report: Report| {
            let doing = match report.phase {
                Phase::Reading => "reading",
                Phase::Sending => "sending",
                Phase::Fetching => "fetching",
                Phase::Opening => "opening",
                _ => "working",
            };
            if bar.message() != doing {
                bar.set_message(doing);
            }
            bar.set_length(report.total_bytes);
            bar.set_position(report.done_bytes);
            if report.done_bytes == report.resumed_bytes {
                // What was there already did not come as fast as this.
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
