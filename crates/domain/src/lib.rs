//! AgentDrop's server-side rules: entities, state machines, policy.
