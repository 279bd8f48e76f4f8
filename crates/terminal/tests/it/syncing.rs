//! Syncing with a server that keeps a book in memory and fails on cue.

use std::collections::BTreeSet;
use std::sync::Mutex;

use api::Code;
use api::book::{AmendBook, BookChanged, BookStatus, ReplaceBook};
use terminal::ClientError;
use terminal::memory::{Memory, MemoryError};
use terminal::server::{Answer, BookServer};
use terminal::state::State;
use terminal::sync::{Extent, Outcome, Plan, SyncError, foresee, sync};

use crate::planning::numbers;

#[derive(Default)]
pub(crate) struct Notebook(pub(crate) Mutex<State>);

impl Memory for Notebook {
    fn load(&self) -> Result<State, MemoryError> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn save(&self, state: &State) -> Result<(), MemoryError> {
        *self.0.lock().unwrap() = state.clone();
        Ok(())
    }
}

/// What happens to the next upload.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cue {
    OtherDeviceFirst,
    AnswerLost,
    Refused(Code),
}

/// What the other device delivers.
const OTHERS: &str = "+8613899999999";

#[derive(Default)]
struct Script {
    book: BTreeSet<String>,
    version: i64,
    cues: Vec<Cue>,
    log: Vec<&'static str>,
}

#[derive(Default)]
pub(crate) struct Server(Mutex<Script>);

pub(crate) fn refusal(code: Code) -> ClientError {
    let problem = api::Problem {
        type_: code.type_reference(),
        title: code.title().to_owned(),
        status: code.status(),
        code: code.word().to_owned(),
        detail: "No.".to_owned(),
        request_id: String::new(),
        fields: Vec::new(),
    };
    ClientError::Problem { problem: Box::new(problem), retry_after_s: None }
}

impl Server {
    fn change(
        &self,
        what: &'static str,
        if_match: i64,
        change: impl FnOnce(&mut BTreeSet<String>),
    ) -> Answer<BookChanged> {
        let mut script = self.0.lock().unwrap();
        script.log.push(what);
        let cue = script.cues.pop();
        if cue == Some(Cue::OtherDeviceFirst) {
            script.book.insert(OTHERS.to_owned());
            script.version += 1;
        }
        if let Some(Cue::Refused(code)) = cue {
            return Err(refusal(code));
        }
        if if_match != script.version {
            return Err(refusal(Code::BookVersionConflict));
        }
        let before = script.book.clone();
        change(&mut script.book);
        // As the server does: what changes nothing is no new version.
        if script.book != before || script.version == 0 {
            script.version += 1;
        }
        if cue == Some(Cue::AnswerLost) {
            return Err(ClientError::Interrupted("cut".into()));
        }
        let size = i64::try_from(script.book.len()).unwrap();
        let (refused, new_matches) = (Vec::new(), Vec::new());
        Ok(BookChanged { version: script.version, size, added: 0, removed: 0, refused, new_matches })
    }

    pub(crate) fn cue(&self, cue: Cue) {
        self.0.lock().unwrap().cues.push(cue);
    }

    fn holds(&self, tails: std::ops::Range<u64>) -> bool {
        self.0.lock().unwrap().book == numbers(tails).iter().map(|number| number.e164()).collect()
    }

    /// Forgets what would have happened to uploads that did not come.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().cues.clear();
    }

    /// What the book holds.
    pub(crate) fn held(&self) -> BTreeSet<String> {
        self.0.lock().unwrap().book.clone()
    }

    fn log(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap().log)
    }
}

impl BookServer for Server {
    async fn book(&self) -> Answer<BookStatus> {
        let script = self.0.lock().unwrap();
        Ok(BookStatus { version: script.version, size: i64::try_from(script.book.len()).unwrap() })
    }

    async fn replace_book(&self, body: &ReplaceBook, if_match: i64) -> Answer<BookChanged> {
        self.change("put", if_match, |book| *book = body.numbers.iter().cloned().collect())
    }

    async fn amend_book(&self, body: &AmendBook, if_match: i64) -> Answer<BookChanged> {
        self.change("patch", if_match, |book| {
            book.extend(body.add.iter().cloned());
            book.retain(|number| !body.remove.contains(number));
        })
    }
}

async fn whole(
    server: &Server,
    memory: &Notebook,
    tails: std::ops::Range<u64>,
) -> Result<Outcome, SyncError> {
    sync(server, memory, &numbers(tails), Extent::Whole, false).await
}

#[tokio::test]
async fn the_first_scan_goes_whole_and_later_ones_by_what_changed() {
    let (server, memory) = (Server::default(), Notebook::default());
    whole(&server, &memory, 0..10).await.unwrap();
    whole(&server, &memory, 2..12).await.unwrap();
    let unchanged = whole(&server, &memory, 2..12).await.unwrap();
    assert_eq!(server.log(), ["put", "patch"]);
    assert!(server.holds(2..12));
    assert_eq!(unchanged, Outcome::Unchanged(BookStatus { version: 2, size: 10 }));
}

#[tokio::test]
async fn when_another_device_is_faster_it_is_planned_anew() {
    let (server, memory) = (Server::default(), Notebook::default());
    whole(&server, &memory, 0..10).await.unwrap();
    server.cue(Cue::OtherDeviceFirst);
    whole(&server, &memory, 0..11).await.unwrap();
    assert_eq!(server.log(), ["put", "patch", "patch"]);
    let book = server.held();
    assert_eq!((book.len(), book.contains(OTHERS)), (12, true), "what the other device did stays");
}

#[tokio::test]
async fn endless_conflicts_end() {
    let (server, memory) = (Server::default(), Notebook::default());
    (0..20).for_each(|_| server.cue(Cue::OtherDeviceFirst));
    assert!(matches!(whole(&server, &memory, 0..10).await, Err(SyncError::Contended)));
}

#[tokio::test]
async fn a_lost_answer_leaves_no_gap() {
    let (server, memory) = (Server::default(), Notebook::default());
    whole(&server, &memory, 0..10).await.unwrap();
    let before = memory.load().unwrap();
    server.cue(Cue::AnswerLost);
    whole(&server, &memory, 0..12).await.unwrap_err();
    let after = memory.load().unwrap().book.unwrap();
    assert_eq!(after.numbers, before.book.unwrap().numbers, "only what was acknowledged counts as delivered");
    whole(&server, &memory, 0..12).await.unwrap();
    assert!(server.holds(0..12));
    assert_eq!(server.log(), ["put", "patch", "patch"]);
    assert!(memory.load().unwrap().book.unwrap().unsure.is_empty());
}

#[tokio::test]
async fn a_contact_that_goes_after_a_lost_answer_does_not_stay_behind() {
    let (server, memory) = (Server::default(), Notebook::default());
    whole(&server, &memory, 0..10).await.unwrap();
    server.cue(Cue::AnswerLost);
    whole(&server, &memory, 0..12).await.unwrap_err();
    whole(&server, &memory, 0..10).await.unwrap();
    assert!(server.holds(0..10));
}

#[tokio::test]
async fn a_plan_is_shown_without_sending_anything() {
    let (server, memory) = (Server::default(), Notebook::default());
    whole(&server, &memory, 0..10).await.unwrap();
    let state = memory.load().unwrap();
    server.log();
    let plan = foresee(&server, &memory, &numbers(1..11), Extent::Whole).await.unwrap();
    let (add, remove) = (numbers([10]), numbers([0]));
    assert_eq!(plan, Plan::Amend { add, remove, confirm_shrink_needed: false, if_match: 1 });
    assert_eq!((server.log(), memory.load().unwrap()), (vec![], state));
}

#[tokio::test]
async fn a_book_is_not_emptied_without_a_confirmation() {
    let (server, memory) = (Server::default(), Notebook::default());
    whole(&server, &memory, 0..10).await.unwrap();
    assert_eq!(whole(&server, &memory, 0..2).await.unwrap(), Outcome::ShrinkUnconfirmed { from: 10, to: 2 });
    assert!(server.holds(0..10));
    sync(&server, &memory, &numbers(0..2), Extent::Whole, true).await.unwrap();
    assert!(server.holds(0..2));
}

#[tokio::test]
async fn the_servers_own_doubt_about_a_shrinking_book_is_passed_on() {
    let (server, memory) = (Server::default(), Notebook::default());
    server.cue(Cue::Refused(Code::BookShrinkUnconfirmed));
    assert_eq!(whole(&server, &memory, 0..2).await.unwrap(), Outcome::ShrinkUnconfirmed { from: 0, to: 2 });
}

#[tokio::test]
async fn parts_add_up_and_a_whole_scan_then_settles_the_book() {
    let (server, memory) = (Server::default(), Notebook::default());
    for part in [0..3, 5..8, 0..3] {
        sync(&server, &memory, &numbers(part), Extent::Partial, false).await.unwrap();
    }
    assert_eq!(server.log(), ["patch", "patch"]);
    whole(&server, &memory, 0..8).await.unwrap();
    assert!(server.holds(0..8));
    assert_eq!(server.log(), ["patch"]);
}

#[tokio::test]
async fn a_missing_consent_is_the_servers_to_say() {
    let (server, memory) = (Server::default(), Notebook::default());
    server.cue(Cue::Refused(Code::ConsentUploadMissing));
    let Err(SyncError::Server(error)) = whole(&server, &memory, 0..2).await else { panic!("not refused") };
    assert_eq!(error.code(), Some(Code::ConsentUploadMissing));
    assert!(memory.load().unwrap().book.is_none(), "a refusal changes nothing here");
}
