//! `hutong terminal …`: the terminal's library on a command line.

mod account;
mod backup;
mod book;
mod carddav;
mod orders;
mod prompt;
mod scan;
mod services;
mod session;

use std::path::PathBuf;

use clap::Subcommand;
use domain::Region;
use domain::consent::Consent;
use domain::ids::{OrderId, SubscriptionId};
use terminal::memory::FileMemory;

use crate::failure::Failure;

/// The flags of every terminal command.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The server's address; remembered from the last login when absent.
    #[arg(long, global = true, env = "HUTONG_SERVER")]
    server: Option<String>,
    /// Prints JSON instead of lines for people.
    #[arg(long, global = true)]
    json: bool,
    /// Where this terminal remembers who it is; one file for each person.
    #[arg(long, global = true, env = "HUTONG_TERMINAL_STATE")]
    state: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Signs this terminal in: a code comes by text, and is asked for here.
    Login {
        /// Your own number, as you would write it.
        number: String,
        /// The language that the operator's texts use: zh-CN or en.
        #[arg(long)]
        locale: Option<String>,
    },
    /// Reads address-book files (vCard 2.1, 3.0, 4.0, or CSV) and delivers what changed.
    Scan {
        /// Reads and shows only; needs no server and no login.
        #[arg(long)]
        dry_run: bool,
        /// These are only some of your contacts: adds them, and takes nothing away.
        #[arg(long)]
        partial: bool,
        /// Asks where the server's book stands, shows what would be delivered, and sends nothing.
        #[arg(long)]
        plan: bool,
        /// These are all of your contacts: what your other devices have delivered goes, too.
        #[arg(long, conflicts_with = "partial")]
        resync: bool,
        /// Delivers the book even when it has lost more than half.
        #[arg(long)]
        confirm_shrink: bool,
        /// The region in which a number without a country code is read.
        #[arg(long, default_value = "CN")]
        region: Region,
        /// The files, such as the .vcf that your phone exports.
        #[arg(required_unless_present = "carddav")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        own: carddav::Args,
    },
    /// Tells who is signed in here and what the server holds.
    Status,
    /// Lists the people who match: each has the other's number.
    Friends,
    /// Lists your own services.
    Services,
    /// Shows one of your services to your matches.
    Share {
        /// The service's id, from `services`.
        id: SubscriptionId,
        /// Shows it to these numbers alone, while they match.
        #[arg(long)]
        only: Vec<String>,
    },
    /// Hides it again, at once.
    Unshare {
        /// The service's id, from `services`.
        id: SubscriptionId,
    },
    /// Lists what your friends share with you, with prices.
    Feed {
        /// Of one friend alone.
        #[arg(long)]
        friend: Option<String>,
        /// Of one offering alone.
        #[arg(long)]
        offering: Option<String>,
    },
    /// Orders for yourself what a friend shares. This costs what the card says.
    Order {
        /// The share's id, from `feed`.
        share: String,
        /// Does not ask back.
        #[arg(long)]
        yes: bool,
    },
    /// Lists your orders.
    Orders,
    /// Asks for an order's cancellation.
    Cancel {
        /// The order's id, from `orders`.
        id: OrderId,
    },
    /// Ends one of your services.
    Unsubscribe {
        /// The service's id, from `services`.
        id: SubscriptionId,
    },
    /// Makes you and another person invisible to each other; they cannot tell.
    Hide {
        /// The other's number.
        number: String,
    },
    /// Takes that back.
    Unhide {
        /// The other's number.
        number: String,
    },
    /// Gives a consent, or takes it back.
    Consent {
        /// `upload`, `subscriptions` or `recommendations`.
        #[arg(value_parser = parse_consent)]
        consent: Consent,
        /// Takes it back: what rests on it is deleted.
        #[arg(long)]
        take_back: bool,
    },
    /// Encrypts address-book files under a recovery phrase and leaves them with the server, which cannot read them.
    Backup {
        /// The files, such as the .vcf that your phone exports.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Makes a new phrase, and gives up what only the old one opens.
        #[arg(long)]
        new_phrase: bool,
    },
    /// Gets those files back, byte for byte; asks for the recovery phrase.
    Restore {
        /// The folder to write them into; no file there is overwritten.
        #[arg(long, default_value = ".", value_name = "DIR")]
        into: PathBuf,
        /// Takes also an older backup than this terminal knows of.
        #[arg(long)]
        old_too: bool,
    },
    /// Prints everything the server holds about you.
    Export,
    /// Deletes your account and everything held about it.
    ForgetMe {
        /// Does not ask back.
        #[arg(long)]
        yes: bool,
    },
    /// Signs this terminal out.
    Logout,
}

fn parse_consent(word: &str) -> Result<Consent, String> {
    Consent::parse(word).ok_or_else(|| "a consent is upload, subscriptions or recommendations".to_owned())
}

/// Runs one terminal command.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let Args { server, json, state, command } = args;
    if let Command::Scan { dry_run: true, region, files, own, .. } = &command {
        let scan = match own.is_given() {
            true => own.scan(*region, None::<&FileMemory>).await?,
            false => scan::scan_files(files, *region),
        };
        return scan::show(&scan, json);
    }
    let world = crate::world::system();
    let session = session::Session::open(server, state, json)?;
    match command {
        Command::Login { number, locale } => account::login(&session, number, locale).await,
        Command::Scan { partial, resync, plan, confirm_shrink, region, files, own, .. } => {
            let wish = book::Wish { extent: book::extent(partial, resync), confirm_shrink };
            let scan = match own.is_given() {
                true => own.scan(region, Some(&session.memory)).await?,
                false => scan::scan_files(&files, region),
            };
            if plan {
                book::show(&session, &scan, wish).await
            } else {
                book::scan(&session, &scan, wish).await
            }
        }
        Command::Status => account::status(&session).await,
        Command::Friends => services::friends(&session).await,
        Command::Services => services::list(&session).await,
        Command::Share { id, only } => services::share(&session, id, only).await,
        Command::Unshare { id } => services::unshare(&session, id).await,
        Command::Feed { friend, offering } => services::feed(&session, friend, offering).await,
        Command::Order { share, yes } => orders::order(&session, &share, yes, &world).await,
        Command::Orders => orders::list(&session).await,
        Command::Cancel { id } => orders::cancel(&session, id).await,
        Command::Unsubscribe { id } => orders::unsubscribe(&session, id).await,
        Command::Hide { number } => account::hide(&session, &number, true).await,
        Command::Unhide { number } => account::hide(&session, &number, false).await,
        Command::Consent { consent, take_back } => account::consent(&session, consent, take_back).await,
        Command::Backup { files, new_phrase } => backup::back_up(&session, &files, new_phrase, &world).await,
        Command::Restore { into, old_too } => backup::restore(&session, &into, old_too).await,
        Command::Export => account::export(&session).await,
        Command::ForgetMe { yes } => account::forget_me(&session, yes).await,
        Command::Logout => account::logout(&session).await,
    }
}
