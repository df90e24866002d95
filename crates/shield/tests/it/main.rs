//! Shield from outside.

mod bombs;
mod fuzzed;
mod images;
mod made;
mod packages;
mod sevenzips;
mod streams;
mod tars;
mod verdicts;
mod zipped;
mod zips;
