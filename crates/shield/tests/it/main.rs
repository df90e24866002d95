//! Shield from outside.

mod looked;
mod macros;
mod pickles;
mod programs;
mod scripts;
mod secrets;
mod shortcuts;
mod verdicts;
