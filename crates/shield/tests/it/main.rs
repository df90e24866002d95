//! Shield from outside.

mod documents;
mod verdicts;
