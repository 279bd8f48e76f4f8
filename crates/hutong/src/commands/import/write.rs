//! Books on their way into the store: so many owners a write.

use std::sync::Arc;

use domain::ids::SubscriberId;
use domain::locale::Locale;
use domain::{Msisdn, limits};
use store::audit::{Actor, AuditAction, AuditEntry};
use store::contacts::{Imported, ImportedBook};
use store::{Store, StoreError};

use super::books::{Books, distinct};
use super::{Args, Counted};
use crate::commands::matching::progress::Progress;
use crate::failure::Failure;

/// Owners whose books are written together: enough to share what a write costs, and a short wait for others.
const OWNERS_A_WRITE: usize = 256;

/// Writes all books; what was written stays when a later write fails.
///
/// # Errors
/// A [`Failure`] of the store.
pub(super) async fn all(
    store: &Store,
    books: Books,
    args: &Args,
    progress: &Progress,
) -> Result<Counted, Failure> {
    let world = crate::world::system();
    let mut counted = Counted {
        refused_owners: books.refused_owners,
        refused_contacts: books.refused_contacts,
        ..Counted::default()
    };
    progress.count_to("writing books", books.of.len() as u64);
    let mut books = books.of.into_iter();
    loop {
        let batch: Vec<(Msisdn, Vec<Msisdn>)> = books.by_ref().take(OWNERS_A_WRITE).collect();
        if batch.is_empty() {
            return Ok(counted);
        }
        let taken = batch.len() as u64;
        let keys = store.keys();
        let batch: Vec<ImportedBook> = batch
            .into_iter()
            .map(|(number, contacts)| ImportedBook {
                number,
                fresh: SubscriberId(world.uuid()),
                contacts: distinct(number, contacts).into_iter().map(|one| keys.contact_key(one)).collect(),
            })
            .filter(|book| {
                let fits = book.contacts.len() <= limits::count(limits::BOOK_NUMBERS_MAX);
                counted.refused_owners += u64::from(!fits);
                fits
            })
            .collect();
        counted.owners += batch.len();
        counted.contacts += batch.iter().map(|book| book.contacts.len()).sum::<usize>();
        let imported = write(store, batch, args).await.map_err(|error| {
            Failure::user("the store did not take the books")
                .because(&error)
                .hint("Run the same import again: it goes on where it ended.")
        })?;
        counted.add(imported);
        progress.count(taken);
    }
}

async fn write(store: &Store, batch: Vec<ImportedBook>, args: &Args) -> Result<Imported, StoreError> {
    let (batch, consent) = (Arc::new(batch), args.consent.clone());
    let locale = Locale::nearest(&args.locale);
    let write = move |tx: &mut store::Tx<'_>| {
        let imported = tx.contacts().import_books(&batch, locale, &consent)?;
        if imported != Imported::default() {
            let entry = AuditEntry::new(Actor::Local, AuditAction::BooksImported)
                .with("consent", consent.as_str())
                .with("registered", imported.registered)
                .with("changed", imported.changed);
            tx.audit().append(&entry)?;
        }
        Ok(imported)
    };
    store.write::<_, StoreError, _>(write).await
}

impl Counted {
    fn add(&mut self, imported: Imported) {
        self.registered += imported.registered;
        self.changed += imported.changed;
        self.without_consent += imported.without_consent;
        self.matched += imported.matched;
        self.parted += imported.parted;
    }
}
