//! Shield from outside.

mod bombs;
mod disguises;
mod documents;
mod fuzzed;
mod fuzzed_programs;
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
