//! Pulls the address books of a person's own CardDAV server: what changed since the last time, by sync tokens.
//!
//! Books are found from any address of the server; each is listed by `sync-collection`, and only cards that are
//! new or changed are fetched. What a pull brings counts as a whole or not at all: a server that stops half-way
//! leaves the mirror as it was, and what was fetched by then is not fetched again. A token that the server no
//! longer knows leads to a listing of the whole book. Only telephone lines are kept; names are not.
//! Sources: RFC 6352, RFC 6578; the words on the wire are `libdav`'s.

mod find;
mod mirror;
mod port;

use std::collections::BTreeMap;

use http::{StatusCode, Uri};
use libdav::carddav::GetAddressBookResources;
use libdav::dav::{FoundCollection, ListedResource, SyncCollection, SyncCollectionResponse};

use self::mirror::{Card, MirroredBook, telephone_lines};
use self::port::ask;
use crate::memory::{Memory, MemoryError};
use crate::read::FILE_BYTES_MAX;

pub use self::mirror::Mirror;
pub use self::port::{CallError, DavServer, PullError};

/// Cards asked for at once: an answer stays far below a megabyte, pictures aside.
const CARDS_A_CALL: usize = 100;
/// Cards in all; nobody's server has more, and one that goes on for ever is stopped.
const CARDS_MAX: usize = 100_000;
/// Pages of one listing.
const PAGES_MAX: usize = 1_000;

/// What a pull has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Pulled {
    /// Address books.
    pub books: usize,
    /// Cards that there are now.
    pub cards: usize,
    /// Those that are new or changed since the last pull.
    pub changed: usize,
    /// Those that are gone since then.
    pub removed: usize,
    /// Cards fetched: of a pull that goes on after a broken one, the rest alone.
    pub fetched: usize,
    /// Whether a book was listed whole, since it was new or its token worth nothing any more.
    pub whole: bool,
}

/// Brings what the terminal remembers in step with the server, and remembers it; also after a fault, what was
/// fetched by then.
///
/// # Errors
/// [`PullError`]; what counts is then as before.
pub async fn pull_and_remember(
    server: &impl DavServer,
    memory: &impl Memory,
    address: &Uri,
    user: &str,
) -> Result<(Pulled, Mirror), PullAndRememberError> {
    let mut mirror = memory.load()?.carddav.unwrap_or_default();
    let pulled = pull(server, address, user, &mut mirror).await;
    let kept = mirror.clone();
    crate::memory::remember(memory, |state| state.carddav = Some(kept))?;
    Ok((pulled?, mirror))
}

/// Why nothing new is known of the server's books.
#[derive(Debug, thiserror::Error)]
pub enum PullAndRememberError {
    /// The server.
    #[error(transparent)]
    Pull(#[from] PullError),
    /// The terminal cannot remember.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// Brings a mirror in step with the server.
///
/// # Errors
/// [`PullError`]; the mirror's books are then as before.
pub async fn pull(
    server: &impl DavServer,
    address: &Uri,
    user: &str,
    mirror: &mut Mirror,
) -> Result<Pulled, PullError> {
    mirror.be_of(address, user);
    let mut pulled = Pulled::default();
    let mut books = BTreeMap::new();
    for found in find::books(server, address).await? {
        let known = mirror.books.get(&found.href).cloned().unwrap_or_default();
        let mut one = OneBook { server, address, found: &found, known: &known, fetched: &mut mirror.fetched };
        let (book, fetched, whole) = one.pull().await?;
        pulled.fetched += fetched;
        pulled.whole |= whole;
        books.insert(found.href.clone(), book);
        if books.values().map(|book| book.cards.len()).sum::<usize>() > CARDS_MAX {
            return Err(PullError::TooMuch);
        }
    }
    let (before, now) = (mirror.etags(), Mirror::etags_of(&books));
    pulled.books = books.len();
    pulled.cards = now.len();
    pulled.changed = now.iter().filter(|(card, etag)| before.get(*card) != Some(*etag)).count();
    pulled.removed = before.keys().filter(|card| !now.contains_key(*card)).count();
    mirror.books = books;
    mirror.fetched.clear();
    if mirror.to_file().len() > FILE_BYTES_MAX {
        mirror.books.clear();
        return Err(PullError::TooMuch);
    }
    Ok(pulled)
}

/// One book of the server, what is known of it, and what was fetched and does not count yet.
struct OneBook<'a, S> {
    server: &'a S,
    address: &'a Uri,
    found: &'a FoundCollection,
    known: &'a MirroredBook,
    fetched: &'a mut BTreeMap<String, Card>,
}

impl<S: DavServer> OneBook<'_, S> {
    /// The book as it is now, how many cards were fetched, and whether it was listed whole.
    async fn pull(&mut self) -> Result<(MirroredBook, usize, bool), PullError> {
        if !self.found.supports_sync {
            let cards = self.fetch_all().await?;
            let count = cards.len();
            return Ok((MirroredBook { token: None, cards }, count, true));
        }
        let token = self.known.token.as_deref();
        let delta = match token {
            Some(token) => self.list(Some(token)).await?,
            None => None,
        };
        let whole = delta.is_none();
        let first = match delta {
            Some(delta) => delta,
            None => self.list(None).await?.ok_or(PullError::Garbage)?,
        };
        // What is listed, over what was known unless the listing is of everything.
        let mut etags: BTreeMap<String, String> = BTreeMap::new();
        if !whole {
            etags.extend(self.known.cards.iter().map(|(href, card)| (href.clone(), card.etag.clone())));
        }
        let token = self.all_pages(first, &mut etags).await?;
        let fetched = self.fetch_missing(&etags).await?;
        let cards = etags.into_keys().filter_map(|href| Some((href.clone(), self.card(&href)?)));
        Ok((MirroredBook { token: Some(token), cards: cards.collect() }, fetched, whole))
    }

    /// A listing since a token, or of everything; `None` when the token is worth nothing any more.
    async fn list(&self, token: Option<&str>) -> Result<Option<SyncCollectionResponse>, PullError> {
        let request = SyncCollection::new(&self.found.href);
        let Some(token) = token else { return ask(self.server, self.address, &request).await.map(Some) };
        match ask(self.server, self.address, &request.with_sync_token(token)).await {
            // RFC 6578, section 3.2: the precondition comes with 403, with 409 from others, with 410 or 400 from some.
            Err(PullError::DeadToken | PullError::Status(400 | 403 | 404 | 409 | 410 | 412)) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// Applies a listing and the pages that follow it; a server may cut a listing off, and says so by having more.
    async fn all_pages(
        &self,
        first: SyncCollectionResponse,
        etags: &mut BTreeMap<String, String>,
    ) -> Result<String, PullError> {
        let mut page = first;
        for _ in 0..PAGES_MAX {
            let end = page.changed.is_empty() && page.deleted.is_empty();
            for ListedResource { href, etag, resource_type, .. } in page.changed {
                if let Some(etag) = etag.filter(|_| !resource_type.is_collection) {
                    etags.insert(href, etag);
                }
            }
            for href in page.deleted {
                etags.remove(&href);
            }
            if etags.len() > CARDS_MAX {
                return Err(PullError::TooMuch);
            }
            if end {
                return Ok(page.new_sync_token);
            }
            page = self.list(Some(&page.new_sync_token)).await?.ok_or(PullError::Garbage)?;
        }
        Err(PullError::TooMuch)
    }

    /// The card as it stands here, if it is the one listed.
    fn stands(&self, href: &str, etag: &str) -> bool {
        let is = |card: Option<&Card>| card.is_some_and(|card| card.etag == etag);
        is(self.fetched.get(href)) || is(self.known.cards.get(href))
    }

    fn card(&self, href: &str) -> Option<Card> {
        self.fetched.get(href).or_else(|| self.known.cards.get(href)).cloned()
    }

    /// Fetches the listed cards that do not stand here; answers how many. One that is gone since is dropped.
    async fn fetch_missing(&mut self, etags: &BTreeMap<String, String>) -> Result<usize, PullError> {
        let missing: Vec<&String> =
            etags.iter().filter(|(href, etag)| !self.stands(href, etag)).map(|(href, _)| href).collect();
        let mut count = 0;
        for hrefs in missing.chunks(CARDS_A_CALL) {
            let request = GetAddressBookResources::new(&self.found.href).with_hrefs(hrefs);
            let answer = ask(self.server, self.address, &request).await?;
            let mut given = BTreeMap::new();
            for resource in answer.resources {
                given.insert(resource.href, resource.content);
            }
            for href in hrefs {
                match given.remove(*href).ok_or(PullError::Garbage)? {
                    Ok(content) => {
                        let card = Card { etag: content.etag, text: telephone_lines(&content.data) };
                        self.fetched.insert((*href).clone(), card);
                        count += 1;
                    }
                    // Deleted between the listing and now: the next listing says so.
                    Err(StatusCode::NOT_FOUND | StatusCode::GONE) => {
                        let gone = Card { etag: String::new(), text: String::new() };
                        self.fetched.insert((*href).clone(), gone);
                    }
                    Err(status) => return Err(PullError::Status(status.as_u16())),
                }
            }
        }
        Ok(count)
    }

    /// All cards of a book whose server lists no changes.
    async fn fetch_all(&mut self) -> Result<BTreeMap<String, Card>, PullError> {
        let answer = ask(self.server, self.address, &GetAddressBookResources::new(&self.found.href)).await?;
        let mut cards = BTreeMap::new();
        for resource in answer.resources {
            let content = resource.content.map_err(|status| PullError::Status(status.as_u16()))?;
            let card = Card { etag: content.etag, text: telephone_lines(&content.data) };
            cards.insert(resource.href, card);
        }
        Ok(cards)
    }
}
