//! Shield from outside.

mod made;
mod streams;
mod verdicts;
mod zipped;
mod zips;
