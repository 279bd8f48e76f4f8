//! What the contacts role keeps: subscribers, sessions, consents, books, matches.

mod backups;
mod books;
mod consents;
mod import;
mod limiter;
mod matches;
mod quotas;
mod registrations;
mod subscribers;

pub use books::{BookChange, BookState};
pub use consents::GivenConsent;
pub use import::{Imported, ImportedBook};
pub use limiter::Counted;
pub(crate) use matches::mend_matches;
pub use registrations::{CodeTried, NewRegistration};
pub use subscribers::{NewSession, Proof, SessionRow, Subscriber};

use crate::store::room;

room! {
    /// Reads what the contacts role keeps.
    ContactsView,
    /// Writes what the contacts role keeps.
    ContactsTx
}
