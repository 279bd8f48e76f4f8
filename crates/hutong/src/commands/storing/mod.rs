//! `hutong store`: the stored data as a whole.

mod dump;
mod load;

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;
use secrecy::ExposeSecret;
use store::Store;
use store::roles::Role;

use super::check;
use super::opening::open;
use crate::config::{Config, ConfigArgs};
use crate::failure::Failure;

/// Its commands.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes the database where there is none, and brings its schema up to date; with --grant, gives the users of
    /// PostgreSQL under which roles run what these may do, and nothing else.
    Migrate(Migrate),
    /// Recomputes the matches from the books, compares, and verifies what is stored.
    Check(check::Args),
    /// Writes everything that is stored into a file, beside running servers or without them.
    Dump(WithFile),
    /// Reads what `dump` wrote into a new database, of either kind; the key file must be that of the dump.
    Load(WithFile),
}

#[derive(Debug, clap::Args)]
struct Migrate {
    /// Users of PostgreSQL and their roles, such as contacts=hutong_contacts,sms=hutong_sms; a user may have several.
    #[arg(long, value_name = "ROLE=USER", value_delimiter = ',', value_parser = read_grant)]
    grant: Vec<(Role, String)>,
    #[command(flatten)]
    config: ConfigArgs,
}

fn read_grant(text: &str) -> Result<(Role, String), &'static str> {
    let (role, user) = text.split_once('=').ok_or("write a role, =, and a user of PostgreSQL")?;
    let role = Role::parse(role).ok_or("the role is none of contacts, exchange, platform, sms")?;
    if user.is_empty() { Err("the user is missing") } else { Ok((role, user.to_owned())) }
}

#[derive(Debug, clap::Args)]
struct WithFile {
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Runs one of them.
///
/// # Errors
/// A [`Failure`] that says what to do.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Migrate(Migrate { grant, config }) => migrate(&grant, &Config::load(&config)?).await,
        Command::Check(args) => check::run(args).await,
        Command::Dump(WithFile { file, config }) => dump::run(&file, &Config::load(&config)?).await,
        Command::Load(WithFile { file, config }) => load::run(file, &Config::load(&config)?).await,
    }
}

async fn migrate(grants: &[(Role, String)], config: &Config) -> Result<(), Failure> {
    let url = config.database.as_ref().map(ExposeSecret::expose_secret);
    if !grants.is_empty() && url.is_none() {
        let failure = Failure::user("the embedded store has no users");
        return Err(failure.hint("Leave --grant out, or set database to postgres://…"));
    }
    open(config).await?.close().await;
    if let Some(url) = url.filter(|_| !grants.is_empty()) {
        let granted = Store::grant_postgres(url, grants).await;
        granted.map_err(|error| Failure::user("the rights were not given").because(&error))?;
    }
    let given = grants.iter().map(|(role, user)| format!("ok: {user} may do what {} does\n", role.word()));
    say(&format!("ok: the schema is up to date\n{}", given.collect::<String>()))
}

fn say(text: &str) -> Result<(), Failure> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::stdout(&error))
}
