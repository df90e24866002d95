//! The command as a person or a script meets it: the real binary, against real servers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod account;
mod admin;
mod demo;
mod deploy;
mod errors;
mod flow;
mod folders;
mod help;
mod interrupt;
mod known;
mod lies;
mod operator;
mod output;
mod people;
mod resuming;
mod sending;
mod serve;
mod serve_log;
mod shield;
mod stdout;
mod support;
mod traces;
mod trust;
mod way;
