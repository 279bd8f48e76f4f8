//! What lies on the disk: no code, no token, no number, no text.

use domain::ids::{HubId, RegistrationId, SessionId, SubscriberId, TextId};
use domain::locale::Locale;
use domain::world::after_seconds;
use rusqlite::Connection;
use store::StoreError;
use store::contacts::{Counted, NewRegistration, NewSession};
use store::platform::HubListenerRow;
use store::texts::{NewText, TextPurpose, TextState};

use crate::backends::{Bench, number};

const CODE: &str = "907183";
const TOKEN: &str = "a-token-that-nobody-must-find-at-rest";
const BODY: &str = "[Hutong] Your sign-in code is 907183, valid for 5 minutes.";

const DEVICE: &str = "Zhang's old phone";
const CALLBACK: &str = "http://127.0.0.1:8080/hub/0123456789abcdef0123456789abcdef";

/// Every byte of every file of the store.
fn bytes(bench: &Bench) -> Vec<u8> {
    let files = std::fs::read_dir(bench.path()).unwrap();
    files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// Whether the one text's body is there.
fn has_body(bench: &Bench) -> bool {
    let file = std::fs::read_dir(bench.path()).unwrap().map(|file| file.unwrap().path());
    let file =
        file.into_iter().find(|path| std::fs::read(path).unwrap().starts_with(b"SQLite format")).unwrap();
    let connection = Connection::open(file).unwrap();
    connection.query_row("SELECT body IS NOT NULL FROM text", [], |row| row.get(0)).unwrap()
}

async fn queue(bench: &Bench) -> TextId {
    let text = NewText {
        id: TextId(bench.world.uuid()),
        purpose: TextPurpose::SignIn,
        to: number(1),
        suffix: String::new(),
        body: BODY.to_owned(),
        not_after: after_seconds(bench.world.now(), 300),
        reference: None,
    };
    let id = text.id;
    bench.store.write::<_, StoreError, _>(move |tx| tx.texts().enqueue(&text)).await.unwrap();
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_tokens_numbers_addresses_and_texts_are_nowhere_on_the_disk() {
    let bench = Bench::embedded();
    queue(&bench).await;
    let new = NewRegistration {
        id: RegistrationId(bench.world.uuid()),
        number: number(1),
        locale: Locale::English,
        code: CODE.to_owned(),
        expires: after_seconds(bench.world.now(), 300),
    };
    let session = NewSession {
        id: SessionId(bench.world.uuid()),
        token: TOKEN.to_owned(),
        device: Some(DEVICE.to_owned()),
    };
    let subscriber = SubscriberId(bench.world.uuid());
    let address = [203, 0, 113, 77, 203, 0, 113, 78];
    let write = move |tx: &mut store::Tx<'_>| {
        tx.contacts().begin_registration(&new)?;
        tx.contacts().count_hit(Counted::TextsFrom(&address))?;
        tx.contacts().sign_in(number(1), Locale::English, subscriber, &session).map(drop)
    };
    bench.store.write::<_, StoreError, _>(write).await.unwrap();
    let bytes = bytes(&bench);
    assert!(holds(&bytes, b"CREATE TABLE session"), "what is looked at is the store");
    let key = bench.store.keys().contact_key(number(1));
    let sessions = bench.store.read::<_, StoreError, _>(move |view| view.contacts().list_sessions(key)).await;
    assert_eq!(sessions.unwrap()[0].device.as_deref(), Some(DEVICE));
    let digits = number(1).digits();
    for secret in [
        CODE.as_bytes(),
        TOKEN.as_bytes(),
        BODY.as_bytes(),
        DEVICE.as_bytes(),
        number(1).e164().as_bytes(),
        &number(1).e164().as_bytes()[3..],
        &digits.to_be_bytes(),
        &digits.to_le_bytes(),
        &address,
    ] {
        assert!(!holds(&bytes, secret), "{} bytes of a secret", secret.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_end_of_a_callback_is_nowhere_on_the_disk() {
    let bench = Bench::embedded();
    let listener = HubListenerRow {
        id: HubId(bench.world.uuid()),
        interface: "/an-interface".to_owned(),
        callback: CALLBACK.to_owned(),
        query: String::new(),
    };
    let write = move |tx: &mut store::Tx<'_>| tx.platform().put_listener(&listener);
    let kept = bench.store.write::<_, StoreError, _>(write).await.unwrap();
    assert_eq!(kept.callback, CALLBACK);
    assert!(!format!("{kept:?}").contains("hub/"));
    let bytes = bytes(&bench);
    assert!(holds(&bytes, b"/an-interface") && !holds(&bytes, b"0123456789abcdef"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_texts_body_is_wiped_with_whatever_ends_it() {
    for end in [TextState::Accepted, TextState::Rejected, TextState::Unknown, TextState::Expired] {
        let bench = Bench::embedded();
        let id = queue(&bench).await;
        assert!(has_body(&bench));
        if end == TextState::Expired {
            bench.clock.advance_s(300);
        }
        let write = move |tx: &mut store::Tx<'_>| {
            let mut texts = tx.texts();
            match end {
                TextState::Expired => texts.expire().map(drop),
                TextState::Accepted => {
                    texts.take_due(1)?;
                    texts.accept(id, "account", &["1".to_owned()]).map(drop)
                }
                _ => {
                    texts.take_due(1)?;
                    texts.settle(id, 1, end).map(drop)
                }
            }
        };
        bench.store.write::<_, StoreError, _>(write).await.unwrap();
        assert!(!has_body(&bench), "{end:?}");
    }
}
