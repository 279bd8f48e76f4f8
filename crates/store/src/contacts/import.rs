//! Many books at once, as an operator brings them: in large writes, each of which leaves every match true.

use std::collections::{BTreeMap, BTreeSet};

use domain::Msisdn;
use domain::consent::Consent;
use domain::ids::SubscriberId;
use domain::key::ContactKey;
use domain::locale::Locale;

use super::ContactsTx;
use super::books::decode;
use crate::error::StoreError;
use crate::people::seal_number;
use crate::sql::params;

/// Somebody and their book.
#[derive(Debug, Clone)]
pub struct ImportedBook {
    /// Whose it is.
    pub number: Msisdn,
    /// The id that they get if they are not registered yet.
    pub fresh: SubscriberId,
    /// Whom it holds; the owner is left out.
    pub contacts: BTreeSet<ContactKey>,
}

/// What an import has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// People registered by it.
    pub registered: usize,
    /// Books that are others now.
    pub changed: usize,
    /// People who are registered and have not given the consent: nothing of theirs was touched.
    pub without_consent: usize,
    /// Pairs who match now and did not before.
    pub matched: usize,
    /// Pairs who matched before and do not now.
    pub parted: usize,
}

/// A book before and after.
struct Change {
    owner: ContactKey,
    version: i64,
    old: Vec<u64>,
    new: Vec<u64>,
}

impl ContactsTx<'_> {
    /// Registers people with their books. Whoever is new gets the consent to upload with it, in the version that
    /// the operator says; whoever is registered keeps what they have said, and without the consent their book is
    /// left as it is. The same again changes nothing. Nobody is told of a match: `matched` says how many there are.
    ///
    /// One look fetches all books that could match, so that the work goes by books and not by contacts. The
    /// numbers of owners are each other's no two times.
    ///
    /// # Errors
    /// The store's.
    pub fn import_books(
        &mut self,
        books: &[ImportedBook],
        locale: Locale,
        consent_version: &str,
    ) -> Result<Imported, StoreError> {
        let mut imported = Imported::default();
        let willing = self.register_owners(books, locale, consent_version, &mut imported)?;
        let changes = self.load_changes(&willing)?;
        imported.changed = changes.len();
        let now = self.world.now();
        for change in &changes {
            self.view.sql.execute(
                "INSERT INTO book (key, version, size, keys, changed) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (key) DO UPDATE SET version = excluded.version, size = excluded.size,
                   keys = excluded.keys, changed = excluded.changed",
                params![
                    change.owner,
                    change.version + 1,
                    change.new.len(),
                    matching::book::encode(&change.new),
                    now,
                ],
            )?;
        }
        let mut added = Vec::with_capacity(changes.len());
        for change in &changes {
            let diff = matching::book::diff(&change.old, &change.new);
            let removed: Vec<_> = diff.removed.into_iter().map(ContactKey::from_value).collect();
            imported.parted += self.end_matches(change.owner, &removed)?.len();
            added.push((change.owner, diff.added));
        }
        imported.matched = self.match_all(&added)?;
        Ok(imported)
    }

    /// Registers whoever is not, and leaves out whoever has not consented.
    fn register_owners<'b>(
        &mut self,
        books: &'b [ImportedBook],
        locale: Locale,
        consent_version: &str,
        imported: &mut Imported,
    ) -> Result<Vec<(ContactKey, &'b ImportedBook)>, StoreError> {
        let (keys, world, now) = (self.view.keys, self.world, self.world.now());
        let mut willing = Vec::with_capacity(books.len());
        for book in books {
            let key = keys.contact_key(book.number);
            let fresh = self.view.sql.execute(
                "INSERT INTO subscriber (key, id, number, locale, since, proven) VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (key) DO NOTHING",
                params![key, book.fresh.0, seal_number(keys, world, book.number), locale.tag(), now, now],
            )?;
            if fresh == 1 {
                imported.registered += 1;
                self.give_consent(key, Consent::Upload, consent_version)?;
            } else if !self.view.has_consent(key, Consent::Upload)? {
                imported.without_consent += 1;
                continue;
            }
            willing.push((key, book));
        }
        Ok(willing)
    }

    /// The books that are others than those stored.
    fn load_changes(&mut self, willing: &[(ContactKey, &ImportedBook)]) -> Result<Vec<Change>, StoreError> {
        let owners: Vec<ContactKey> = willing.iter().map(|(key, _)| *key).collect();
        let rows = self
            .view
            .sql
            .query("SELECT key, version, keys FROM book WHERE key {in $1}", params![owners.as_slice()])?;
        let mut stored = BTreeMap::new();
        for row in &rows {
            stored.insert(row.key(0)?, (row.int(1)?, decode(row.blob(2)?)?));
        }
        let mut changes = Vec::with_capacity(willing.len());
        for (owner, book) in willing {
            let known = stored.remove(owner);
            let is_new = known.is_none();
            let (version, old) = known.unwrap_or_default();
            let others = book.contacts.iter().filter(|contact| *contact != owner);
            let new: Vec<u64> = others.map(|contact| contact.value()).collect();
            if is_new || old != new {
                changes.push(Change { owner: *owner, version, old, new });
            }
        }
        Ok(changes)
    }

    /// Makes matches of owners and those added to their books who list them, unless one hides.
    fn match_all(&mut self, added: &[(ContactKey, Vec<u64>)]) -> Result<usize, StoreError> {
        let asked: BTreeSet<ContactKey> =
            added.iter().flat_map(|(_, keys)| keys).copied().map(ContactKey::from_value).collect();
        let asked: Vec<ContactKey> = asked.into_iter().collect();
        let rows =
            self.view.sql.query("SELECT key, keys FROM book WHERE key {in $1}", params![asked.as_slice()])?;
        let mut books = BTreeMap::new();
        for row in &rows {
            books.insert(row.key(0)?.value(), row.blob(1)?);
        }
        let hiding = self.load_hiding(added)?;
        let now = self.world.now();
        // Each direction goes to its owner's others, so that one statement writes all of them.
        let mut matches: BTreeMap<ContactKey, Vec<ContactKey>> = BTreeMap::new();
        for (owner, keys) in added {
            for friend in keys.iter().map(|key| ContactKey::from_value(*key)) {
                let Some(book) = books.get(&friend.value()) else { continue };
                let lists = matching::book::contains(book, owner.value());
                let lists = lists.map_err(|error| StoreError::new(crate::Kind::Damaged, error))?;
                if lists && !hiding.contains(&(*owner, friend)) {
                    matches.entry(*owner).or_default().push(friend);
                    matches.entry(friend).or_default().push(*owner);
                }
            }
        }
        let mut directed = 0;
        for (owner, friends) in &matches {
            directed += self.insert_matches(*owner, friends, now)?;
        }
        Ok(usize::try_from(directed / 2).unwrap_or(usize::MAX))
    }

    /// Who hides from whom, in both directions, as far as the owners are concerned.
    fn load_hiding(
        &mut self,
        added: &[(ContactKey, Vec<u64>)],
    ) -> Result<BTreeSet<(ContactKey, ContactKey)>, StoreError> {
        let owners: Vec<ContactKey> = added.iter().map(|(owner, _)| *owner).collect();
        let mut hiding = BTreeSet::new();
        for sql in [
            "SELECT owner, hidden FROM hidden WHERE owner {in $1}",
            "SELECT owner, hidden FROM hidden WHERE hidden {in $1}",
        ] {
            for row in self.view.sql.query(sql, params![owners.as_slice()])? {
                let (one, other) = (row.key(0)?, row.key(1)?);
                hiding.extend([(one, other), (other, one)]);
            }
        }
        Ok(hiding)
    }
}
