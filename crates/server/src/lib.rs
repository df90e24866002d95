//! The AgentDrop HTTP service.
