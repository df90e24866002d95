//! The rules of the service: what each thing may become, and who may make it so.
//!
//! Nothing here knows of HTTP, of SQL, of the clock or of a random source. Time and chance come in
//! as arguments, so every rule is a plain function: a transition consumes the old state and
//! returns the new one, or a refusal.

pub mod accounts;
pub mod actor;
pub mod agents;
pub mod audit;
pub mod blocks;
pub mod bundles;
pub mod channels;
pub mod connections;
pub mod downloads;
pub mod events;
pub mod keys;
pub mod links;
pub mod mailed_links;
pub mod pairings;
pub mod people;
pub mod plans;
pub mod policy;
pub mod receive_passwords;
pub mod sessions;
pub mod transfers;
pub mod uploads;
pub mod usage;

pub use actor::{Actor, Credential, Scope};
