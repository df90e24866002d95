//! The `agentdrop` command.

fn main() {}
