//! The HTTP surface: one file a noun, one file for every error.

pub(crate) mod accounts;
pub(crate) mod agent_keys;
pub(crate) mod agents;
pub(crate) mod blocks;
pub(crate) mod channels;
pub(crate) mod connect;
pub(crate) mod connections;
pub(crate) mod docs;
pub(crate) mod downloads;
pub(crate) mod error;
pub(crate) mod extract;
pub(crate) mod fields;
pub(crate) mod files;
pub(crate) mod form;
pub(crate) mod health;
pub(crate) mod inbox;
pub(crate) mod keys;
pub(crate) mod once;
pub(crate) mod openapi;
pub(crate) mod pages;
pub(crate) mod pairings;
pub(crate) mod profile;
pub(crate) mod range;
pub(crate) mod reach;
pub(crate) mod send;
pub(crate) mod transfers;
