//! Shield from outside.

mod bombs;
mod disguises;
mod images;
mod looked;
mod macros;
mod made;
mod pickles;
mod programs;
mod scripts;
mod secrets;
mod sevenzips;
mod shortcuts;
mod streams;
mod tars;
mod verdicts;
mod zipped;
mod zips;
