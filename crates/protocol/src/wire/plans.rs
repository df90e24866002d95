//! Plans: how much an account may use.

super::define_choice! {
    /// How much an account may use.
    Plan {
        /// To try it out.
        Free = "free",
        /// For one developer.
        Builder = "builder",
        /// For a few people.
        Team = "team",
        /// For many agents.
        Scale = "scale",
        /// As much as the server takes.
        Enterprise = "enterprise",
    }
}
