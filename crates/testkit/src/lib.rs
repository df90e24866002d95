//! A whole AgentDrop server in a test: engines, frozen clock, agents.
