//! Shield from outside.

mod made;
mod sevenzips;
mod streams;
mod tars;
mod verdicts;
mod zipped;
mod zips;
