//! The flags that all commands take.

use std::path::PathBuf;

use crate::printer::Mode;

/// What all commands take.
#[derive(clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "AGENTDROP_SERVER",
        help = "The server, like https://drop.example.org [default: the one of the identity]"
    )]
    pub(crate) server: Option<String>,

    #[arg(
        long,
        global = true,
        value_name = "KEY",
        env = "AGENTDROP_API_KEY",
        hide_env_values = true,
        allow_hyphen_values = true,
        help = "The API key [default: the one of the identity]. Others on this machine can see it \
                here: set the variable, or give `-` and the key on standard input"
    )]
    pub(crate) api_key: Option<String>,

    /// The folder of the identity [default: .agentdrop here, in a folder above, or at home]
    #[arg(long, global = true, value_name = "DIR", env = "AGENTDROP_CONFIG_DIR")]
    pub(crate) config_dir: Option<PathBuf>,

    /// Print one JSON object, of the result or the error
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print the bare result only, as scripts want it: an id, a path, a key
    #[arg(long, short, global = true, conflicts_with = "json")]
    pub(crate) quiet: bool,
}

impl Global {
    /// What is printed.
    pub(crate) const fn mode(&self) -> Mode {
        match (self.json, self.quiet) {
            (true, _) => Mode::Json,
            (false, true) => Mode::Quiet,
            (false, false) => Mode::Text,
        }
    }
}
