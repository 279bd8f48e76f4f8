//! The command line: every command with its flags. What a command does stands in `commands`.

use clap::{Parser, Subcommand};

use crate::commands;

/// Hutong: neighbours show each other the services they use, and order them in one tap.
#[derive(Debug, Parser)]
#[command(name = "hutong", version, about, propagate_version = true, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Plays the whole story in one process with a simulated SMS centre, then keeps serving.
    #[cfg(all(feature = "server", feature = "terminal"))]
    Demo(commands::demo::Args),
    /// Runs the servers: all roles, or those named.
    #[cfg(feature = "server")]
    Serve(commands::serve::Args),
    /// Puts a catalogue, providers, plans and subscriptions from a JSON file into the platform.
    #[cfg(feature = "server")]
    Seed(commands::seed::Args),
    /// Brings an operator's books in bulk into the store: one JSON book a line, or an edge list.
    #[cfg(feature = "server")]
    Import(commands::import::Args),
    /// Recomputes the matches from the books, compares, and verifies what is stored.
    #[cfg(feature = "server")]
    Check(commands::check::Args),
    /// The stored data as a whole: its schema, a copy of it, the copy into another database.
    #[cfg(feature = "server")]
    Store(commands::storing::Args),
    /// Charge events: what waits, what was refused, and whether the charging system's record agrees.
    #[cfg(feature = "server")]
    Charges(commands::charges::Args),
    /// Runs a simulated charging system: balances, a record of its own, faults.
    #[cfg(feature = "server")]
    ChargingSimulator(commands::charging_simulator::Args),
    /// Runs a simulated network that says whether a number got a new owner, or a new SIM (CAMARA).
    #[cfg(feature = "server")]
    NumberSimulator(commands::number_simulator::Args),
    /// Matches edge lists in bulk, without a server: who stands in whose book, and the other way round.
    #[cfg(feature = "server")]
    Match(commands::matching::Args),
    /// Reads one raw number field a line from stdin and prints one JSON object for each.
    Numbers(commands::numbers::Args),
    /// The terminal of one person: address book, shares, orders.
    #[cfg(feature = "terminal")]
    Terminal(commands::terminal::Args),
    /// The SMS link alone, without a server: sends texts, or prints what comes in.
    #[cfg(feature = "server")]
    Sms(commands::sms::Args),
    /// Runs a simulated SMS centre: phones with screens.
    #[cfg(feature = "server")]
    Smsc(commands::smsc::Args),
    /// The secret keys of this installation.
    #[cfg(feature = "server")]
    Keys(commands::keys::Args),
    /// Prints every limit.
    Limits(commands::limits::Args),
    /// Prints the contract of the subscriber interface.
    #[cfg(feature = "server")]
    Openapi(commands::openapi::Args),
    /// Checks, lists and marks the log of every decision and every operator's action.
    #[cfg(feature = "server")]
    Audit(commands::audit::Args),
    /// Says what is wrong with this installation.
    #[cfg(feature = "server")]
    Doctor(commands::doctor::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_of_commands_is_sound() {
        Cli::command().debug_assert();
    }
}
