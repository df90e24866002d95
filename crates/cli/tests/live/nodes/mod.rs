//! Several servers, each a process of its own, on one PostgreSQL and one folder of files, behind a
//! proxy that takes them in turn.

#![expect(clippy::print_stdout, reason = "they say what they measured")]

mod cluster;
mod database;
mod killed;
mod listener;
mod load;
mod proxy;
mod races;
mod rolling;
