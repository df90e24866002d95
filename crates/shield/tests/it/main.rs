//! Shield from outside.

mod disguises;
mod verdicts;
