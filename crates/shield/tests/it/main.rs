//! Shield from outside.

mod made;
mod streams;
mod verdicts;
