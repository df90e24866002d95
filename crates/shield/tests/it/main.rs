//! Shield from outside.

mod made;
mod streams;
mod tars;
mod verdicts;
mod zipped;
mod zips;
