//! The real binary as a server of its own, which can be killed, and the published client beside it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod activation;
mod bucket;
mod by_hand;
mod calls;
mod child;
mod crash;
mod disk;
mod haul;
mod model;
mod nodes;
mod open_files;
mod published_client;
mod work;
