//! Pulling from a CardDAV server that keeps its cards in memory and fails on cue.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use bytes::Bytes;
use domain::Region;
use http::{Request, Response, Uri};
use terminal::carddav::{
    CallError, DavServer, Mirror, PullAndRememberError, PullError, Pulled, pull, pull_and_remember,
};
use terminal::memory::Memory;
use terminal::scan::Scan;

use crate::syncing::Notebook;

const BOOK: &str = "/anna/contacts/";

/// What a server does otherwise than it should.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It stops before its so-manieth answer.
    StopsAt(usize),
    /// It has forgotten its tokens, and says so with this status and, or not, the precondition.
    ForgetsTokens(u16, bool),
    /// It lists so many changes at a time.
    Pages(usize),
    /// The password is wrong.
    Locked,
    /// It sends everybody elsewhere.
    Moved,
    /// It answers with this.
    Says(u16, &'static str),
    /// It knows no sync-collection.
    NoSync,
    /// Its cards vanish between the listing and the fetching.
    Forgetful,
}

#[derive(Default)]
struct Book {
    cards: BTreeMap<String, (u64, String)>,
    /// Each change, in order: which card.
    log: Vec<String>,
    fault: Option<Fault>,
    answers: usize,
    calls: Vec<String>,
}

#[derive(Default)]
struct Dav(Mutex<Book>);

impl Dav {
    /// A server with so many cards, each with a number of its own.
    fn with(count: usize) -> Self {
        let dav = Self::default();
        (0..count).for_each(|n| dav.put(n, n));
        dav
    }

    fn put(&self, card: usize, number: usize) {
        let mut book = self.0.lock().unwrap();
        let href = format!("{BOOK}{card}.vcf");
        let text = format!(
            "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Secret {card}\r\nTEL:1380013{number:04}\r\nEND:VCARD\r\n"
        );
        let etag = book.log.len() as u64;
        book.cards.insert(href.clone(), (etag, text));
        book.log.push(href);
    }

    fn delete(&self, card: usize) {
        let mut book = self.0.lock().unwrap();
        let href = format!("{BOOK}{card}.vcf");
        book.cards.remove(&href);
        book.log.push(href);
    }

    fn fault(&self, fault: impl Into<Option<Fault>>) {
        let mut book = self.0.lock().unwrap();
        (book.fault, book.answers) = (fault.into(), 0);
    }

    /// How often it was asked for cards, and for how many, since the last time.
    fn fetched(&self) -> (usize, usize) {
        let calls = std::mem::take(&mut self.0.lock().unwrap().calls);
        let gets = calls.iter().filter(|body| body.contains("multiget"));
        gets.fold((0, 0), |(calls, cards), body| (calls + 1, cards + body.matches("<D:href>").count()))
    }
}

impl Book {
    fn answer(&mut self, request: &Request<String>) -> Result<(u16, String), CallError> {
        self.answers += 1;
        let (path, body) = (request.uri().path(), request.body().as_str());
        match self.fault {
            Some(Fault::StopsAt(answers)) if self.answers >= answers => {
                return Err(CallError::Broken("the connection broke".into()));
            }
            Some(Fault::Locked) => return Ok((401, String::new())),
            Some(Fault::Moved) => return Ok((302, String::new())),
            Some(Fault::Says(status, text)) => return Ok((status, text.to_owned())),
            _ => {}
        }
        if body.contains("current-user-principal") {
            let href = "<current-user-principal><href>/anna/</href></current-user-principal>";
            return Ok((207, propstat(path, href)));
        }
        if body.contains("addressbook-home-set") {
            let href = "<C:addressbook-home-set><href>/anna/</href></C:addressbook-home-set>";
            return Ok((207, propstat(path, href)));
        }
        if body.contains("propfind") {
            let deep = request.headers()["Depth"] == "1";
            let sync =
                if self.fault == Some(Fault::NoSync) { "" } else { "<report><sync-collection/></report>" };
            let book = format!(
                "<resourcetype><collection/><C:addressbook/></resourcetype>\
                 <supported-report-set><supported-report>{sync}</supported-report></supported-report-set>"
            );
            let found =
                if path == BOOK || deep { propstat(BOOK, &book) } else { propstat(path, "<resourcetype/>") };
            return Ok((207, found));
        }
        if body.contains("sync-collection") {
            return Ok(self.list(body));
        }
        Ok((207, self.fetch(body)))
    }

    fn list(&self, body: &str) -> (u16, String) {
        let token = body.split("<D:sync-token>").nth(1).and_then(|rest| rest.split('<').next());
        if let (Some(_), Some(Fault::ForgetsTokens(status, says))) = (token, self.fault) {
            let error = if says { "<error xmlns=\"DAV:\"><valid-sync-token/></error>" } else { "" };
            return (status, error.to_owned());
        }
        let since: usize = token.map_or(0, |token| token.trim_start_matches("urn:t:").parse().unwrap());
        let page = if let Some(Fault::Pages(size)) = self.fault { size } else { usize::MAX };
        let until = self.log.len().min(since.saturating_add(page));
        let mut text = String::new();
        let mut hrefs: Vec<&String> = self.log[since..until].iter().collect();
        hrefs.sort_unstable();
        hrefs.dedup();
        for href in hrefs {
            let _ = match self.cards.get(href) {
                Some((etag, _)) => {
                    write!(text, "{}", response(href, &format!("<getetag>\"{etag}\"</getetag>")))
                }
                // What never was, to somebody who sees the whole, is not told as gone.
                None if token.is_none() => Ok(()),
                None => write!(
                    text,
                    "<response><href>{href}</href><status>HTTP/1.1 404 Not Found</status></response>"
                ),
            };
        }
        (207, multistatus(&format!("{text}<sync-token>urn:t:{until}</sync-token>")))
    }

    fn fetch(&self, body: &str) -> String {
        let mut text = String::new();
        let named = |href: &str| body.contains(&format!("<D:href>{href}</D:href>"));
        let forgetful = self.fault == Some(Fault::Forgetful);
        for (href, (etag, card)) in
            self.cards.iter().filter(|(href, _)| body.contains("query") || named(href))
        {
            let props = format!("<getetag>\"{etag}\"</getetag><C:address-data>{card}</C:address-data>");
            let _ = match forgetful {
                false => write!(text, "{}", response(href, &props)),
                true => write!(
                    text,
                    "<response><href>{href}</href><status>HTTP/1.1 404 Not Found</status></response>"
                ),
            };
        }
        multistatus(&text)
    }
}

fn multistatus(inner: &str) -> String {
    format!("<multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\">{inner}</multistatus>")
}

fn response(href: &str, props: &str) -> String {
    let ok = "<status>HTTP/1.1 200 OK</status>";
    format!("<response><href>{href}</href><propstat><prop>{props}</prop>{ok}</propstat></response>")
}

fn propstat(href: &str, props: &str) -> String {
    multistatus(&response(href, props))
}

impl DavServer for Dav {
    async fn call(&self, request: Request<String>) -> Result<Response<Bytes>, CallError> {
        let mut book = self.0.lock().unwrap();
        let (status, body) = book.answer(&request)?;
        book.calls.push(request.body().clone());
        Ok(Response::builder().status(status).body(Bytes::from(body)).unwrap())
    }
}

fn address() -> Uri {
    Uri::from_static("https://dav.example/")
}

async fn pulled(dav: &Dav, mirror: &mut Mirror) -> Pulled {
    pull(dav, &address(), "anna", mirror).await.unwrap()
}

fn numbers(mirror: &Mirror) -> usize {
    let mut scan = Scan::default();
    scan.add("carddav", &mirror.to_file(), Region::CN);
    scan.matchable_numbers().len()
}

#[tokio::test]
async fn the_first_pull_brings_all_and_later_ones_exactly_what_changed() {
    let (dav, mut mirror) = (Dav::with(250), Mirror::default());
    let first = Pulled { books: 1, cards: 250, changed: 250, removed: 0, fetched: 250, whole: true };
    assert_eq!(pulled(&dav, &mut mirror).await, first);
    assert_eq!((dav.fetched(), numbers(&mirror)), ((3, 250), 250));
    let nothing = Pulled { books: 1, cards: 250, ..Pulled::default() };
    assert_eq!(pulled(&dav, &mut mirror).await, nothing);
    dav.put(3, 9_003);
    dav.put(1_000, 9_999);
    dav.delete(4);
    dav.put(2_000, 1);
    dav.delete(2_000);
    let changed = Pulled { books: 1, cards: 250, changed: 2, removed: 1, fetched: 2, whole: false };
    assert_eq!(pulled(&dav, &mut mirror).await, changed);
    assert_eq!((dav.fetched(), numbers(&mirror)), ((1, 2), 250));
    let file = String::from_utf8(mirror.to_file()).unwrap();
    assert!(file.contains("13800139003") && !file.contains("13800130003") && !file.contains("13800130004"));
    assert!(!file.contains("Secret"), "a name has no business here");
}

#[tokio::test]
async fn the_books_are_found_from_the_book_itself_as_from_the_root() {
    for address in ["https://dav.example/", "https://dav.example/anna/contacts/"] {
        let (dav, mut mirror) = (Dav::with(3), Mirror::default());
        let pulled = pull(&dav, &address.parse().unwrap(), "anna", &mut mirror).await.unwrap();
        assert_eq!((pulled.books, pulled.cards), (1, 3), "{address}");
    }
}

#[tokio::test]
async fn a_token_that_is_dead_leads_to_the_whole_list_and_fetches_only_what_changed() {
    for (status, says) in [(403, true), (409, true), (410, false), (400, false)] {
        let (dav, mut mirror) = (Dav::with(120), Mirror::default());
        pulled(&dav, &mut mirror).await;
        dav.fetched();
        dav.put(7, 9_007);
        dav.delete(8);
        dav.fault(Fault::ForgetsTokens(status, says));
        // Not even the first page's own token is any good: an error, and nothing is lost.
        assert!(matches!(pull(&dav, &address(), "anna", &mut mirror).await, Err(PullError::Garbage)));
        assert_eq!(numbers(&mirror), 120);
        dav.fault(None);
        // As after the server was set up anew: what it gave before means nothing to it.
        let text = serde_json::to_string(&mirror).unwrap().replace("urn:t:120", "urn:t:999999");
        let mut stale: Mirror = serde_json::from_str(&text).unwrap();
        dav.0.lock().unwrap().fault = None;
        let dead = Dead(&dav, status, says);
        let again = pull(&dead, &address(), "anna", &mut stale).await.unwrap();
        let wanted = Pulled { books: 1, cards: 119, changed: 1, removed: 1, fetched: 1, whole: true };
        assert_eq!(again, wanted, "{status}");
    }
}

/// A server that refuses one token alone.
struct Dead<'a>(&'a Dav, u16, bool);

impl DavServer for Dead<'_> {
    async fn call(&self, request: Request<String>) -> Result<Response<Bytes>, CallError> {
        if request.body().contains("urn:t:999999") {
            let error = if self.2 { "<error xmlns=\"DAV:\"><valid-sync-token/></error>" } else { "" };
            return Ok(Response::builder().status(self.1).body(Bytes::from(error)).unwrap());
        }
        self.0.call(request).await
    }
}

#[tokio::test]
async fn a_list_that_the_server_cuts_off_is_read_to_its_end() {
    let (dav, mut mirror) = (Dav::with(95), Mirror::default());
    dav.fault(Fault::Pages(10));
    assert_eq!(pulled(&dav, &mut mirror).await.cards, 95);
    (0..30).for_each(|n| dav.put(n, 9_000 + n));
    let changed = pulled(&dav, &mut mirror).await;
    assert_eq!((changed.cards, changed.changed, changed.fetched), (95, 30, 30));
}

#[tokio::test]
async fn a_server_that_stops_at_any_answer_leaves_what_was_and_the_next_pull_goes_on_from_there() {
    let (dav, memory) = (Dav::with(350), Notebook::default());
    pull_and_remember(&dav, &memory, &address(), "anna").await.unwrap();
    let before = memory.load().unwrap().carddav.unwrap().to_file();
    dav.fetched();
    (0..340).for_each(|n| dav.put(n, 5_000 + n));
    dav.delete(349);
    let (mut asked, mut broken) = (0, 0);
    for answers in 1.. {
        dav.fault(Fault::StopsAt(answers));
        let ended = pull_and_remember(&dav, &memory, &address(), "anna").await;
        asked += dav.fetched().1;
        if let Ok((pulled, _)) = ended {
            assert_eq!((pulled.changed, pulled.removed, pulled.cards), (340, 1, 349));
            break;
        }
        assert!(matches!(ended, Err(PullAndRememberError::Pull(PullError::Call(CallError::Broken(_))))));
        assert_eq!(memory.load().unwrap().carddav.unwrap().to_file(), before, "nothing is applied by halves");
        broken += 1;
    }
    assert!(broken > 5, "it stopped {broken} times");
    assert_eq!(asked, 340, "no card was fetched twice");
}

#[tokio::test]
async fn each_way_to_fail_is_told_apart_and_leaves_what_was() {
    let (dav, mut mirror) = (Dav::with(5), Mirror::default());
    pulled(&dav, &mut mirror).await;
    let before = mirror.clone();
    for (fault, said) in [
        (Fault::Locked, "does not take this name and password"),
        (Fault::Moved, "to another one"),
        (Fault::Says(200, "<html>"), "no address book"),
        (Fault::Says(207, "\u{0}"), "no address book"),
        (Fault::Says(500, ""), "status 500"),
        (Fault::Says(404, ""), "no address book"),
    ] {
        dav.fault(fault);
        let error = pull(&dav, &address(), "anna", &mut mirror).await.unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(mirror, before);
    }
}

#[tokio::test]
async fn a_server_without_sync_tokens_is_read_whole_each_time() {
    let (dav, mut mirror) = (Dav::with(5), Mirror::default());
    dav.fault(Fault::NoSync);
    pulled(&dav, &mut mirror).await;
    dav.put(1, 9_001);
    dav.delete(2);
    let again = pulled(&dav, &mut mirror).await;
    assert_eq!((again.cards, again.changed, again.removed, again.whole), (4, 1, 1, true));
}

#[tokio::test]
async fn a_card_that_vanishes_while_it_is_fetched_is_no_fault() {
    let (dav, mut mirror) = (Dav::with(5), Mirror::default());
    dav.fault(Fault::Forgetful);
    assert_eq!(pulled(&dav, &mut mirror).await.cards, 0);
    dav.fault(None);
    dav.put(1, 1);
    assert_eq!(pulled(&dav, &mut mirror).await.cards, 1);
}

#[tokio::test]
async fn another_servers_or_another_persons_cards_are_not_taken_for_this_ones() {
    let (dav, mut mirror) = (Dav::with(5), Mirror::default());
    pulled(&dav, &mut mirror).await;
    let other = pull(&dav, &address(), "ben", &mut mirror).await.unwrap();
    assert!(other.whole && other.fetched == 5);
}
