//! The service through real sockets, on both engines.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod account;
mod accounts;
mod activation;
mod agent_keys;
mod agents;
mod audit;
mod audited;
mod bad_input;
mod blocks;
mod channels;
mod connections;
mod contract;
mod docs;
mod downloads;
mod errors;
mod faults;
mod files;
mod first_drop;
mod health;
mod inbox;
mod isolation;
mod keys;
mod limits;
mod mailed_links;
mod mails;
mod once;
mod openapi;
mod operations;
mod pages;
mod pairings;
mod parties;
mod people;
mod rates;
mod raw;
mod receive_passwords;
mod secrets;
mod sessions;
mod smtp;
mod transfers;
mod trust;
mod uploads;
mod world;
