//! Shield from outside.

mod looked;
mod pickles;
mod scripts;
mod verdicts;
