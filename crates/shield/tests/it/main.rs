//! Shield from outside.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::format_collect,
    clippy::string_slice,
    reason = "samples are small, and their letters ASCII"
)]

mod bombs;
mod disguises;
mod fuzzed;
mod images;
mod looked;
mod macros;
mod made;
mod packages;
mod pickles;
mod programs;
mod scripts;
mod secrets;
mod sevenzips;
mod shortcuts;
mod streams;
mod tars;
mod unseen;
mod verdicts;
mod zipped;
mod zips;
