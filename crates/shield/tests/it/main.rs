//! Shield from outside.

mod verdicts;
