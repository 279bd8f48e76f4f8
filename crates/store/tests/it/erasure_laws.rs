//! Laws of erasures: what is written down of them, and what they leave of texts.

use domain::ids::TextId;
use domain::limits;
use domain::world::after_seconds;
use store::erasures::{Erased, Erasure};
use store::texts::{NewInbound, NewText, TextPurpose, Unread};
use store::upkeep::{Retention, Upkeep};
use store::{StoreError, Tx};

use crate::backends::{Bench, laws, number};

laws! {
    an_erasure_is_written_down_once_and_for_a_while_it_is_known_whose_it_was
    the_journal_and_the_database_tell_each_other_what_one_of_them_lacks
    nothing_of_the_texts_of_somebody_silenced_is_left_and_others_keep_theirs
}

async fn write<T: Send + 'static>(
    bench: &Bench,
    mut verb: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    bench.store.write::<_, StoreError, _>(move |tx: &mut Tx<'_>| verb(tx)).await.unwrap()
}

async fn erase(bench: &Bench, n: u64) -> Erasure {
    let key = bench.store.keys().contact_key(number(n));
    write(bench, move |tx| tx.erasures().record(Erased::Account, key)).await
}

async fn an_erasure_is_written_down_once_and_for_a_while_it_is_known_whose_it_was(bench: Bench) {
    let erasure = erase(&bench, 1).await;
    assert!(!write(&bench, move |tx| tx.erasures().record_again(&erasure)).await);
    let part = Erasure { what: Erased::Customer, ..erasure };
    assert!(
        write(&bench, move |tx| tx.erasures().record_again(&part)).await,
        "the platform's part is another"
    );
    let find = async || {
        let read = move |view: &mut store::View<'_>| view.erasures().find(erasure.id, Erased::Account);
        bench.store.read::<_, StoreError, _>(read).await.unwrap()
    };
    assert_eq!(find().await, Some((erasure, number(1))));
    let upkeep = Upkeep::new(bench.store.clone(), bench.world.clone(), Retention::default());
    bench.clock.advance_s(limits::ERASURE_WHO_KEEP_DAYS * 86_400);
    upkeep.portion().await.unwrap();
    assert!(find().await.is_some());
    bench.clock.advance_s(1);
    upkeep.portion().await.unwrap();
    assert_eq!(find().await, None, "that it was is kept, and no longer whose");
    assert!(!write(&bench, move |tx| tx.erasures().record_again(&erasure)).await);
}

async fn the_journal_and_the_database_tell_each_other_what_one_of_them_lacks(bench: Bench) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("journal");
    let lines = || std::fs::read_to_string(&file).unwrap_or_default().lines().count();
    // Committed, and the process died before the journal had it.
    let first = erase(&bench, 1).await;
    assert_eq!(bench.store.keep_erasures(&file).await.unwrap(), [], "the database lacks nothing");
    assert_eq!(lines(), 1);
    let second = erase(&bench, 2).await;
    for _ in 0..3 {
        bench.store.journal(&second).await.unwrap();
        bench.store.journal(&first).await.unwrap();
    }
    assert_eq!(lines(), 2, "each stands there once");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("13800000001") && !text.contains("13800000002"), "a number in the journal");
    let (other, empty) = (Bench::embedded(), [].as_slice());
    let again = other.store.keep_erasures(&file).await.unwrap();
    if bench.url.is_none() {
        // The same keys, and none of the rows: an older state of the same database.
        assert_eq!(again, [first, second]);
        assert_eq!(lines(), 2);
    } else {
        // Another installation's: nobody here is erased for it, and it is set aside, not lost.
        assert_eq!((again.as_slice(), lines()), (empty, 0));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}

async fn nothing_of_the_texts_of_somebody_silenced_is_left_and_others_keep_theirs(bench: Bench) {
    let world = bench.world.clone();
    write(&bench, move |tx| {
        for n in [1, 2] {
            let from = number(n);
            let id = || TextId(world.uuid());
            for purpose in [TextPurpose::SignIn, TextPurpose::Receipt] {
                let not_after = after_seconds(world.now(), 300);
                let (suffix, body, reference) = (String::new(), "words".to_owned(), None);
                tx.texts().enqueue(&NewText {
                    id: id(),
                    purpose,
                    to: from,
                    suffix,
                    body,
                    not_after,
                    reference,
                })?;
            }
            let (account, destination, body) = ("a".to_owned(), "1069".to_owned(), "words".to_owned());
            tx.texts().receive(&NewInbound {
                id: id(),
                account: account.clone(),
                from,
                destination,
                body,
            })?;
            let octets = [b"\x00\x01".as_slice(), &from.e164().as_bytes()[3..], b"\x00"].concat();
            tx.texts().keep_unread(&Unread { id: id(), account, octets })?;
        }
        Ok(())
    })
    .await;
    let key = bench.store.keys().contact_key(number(1));
    write(&bench, move |tx| tx.texts().silence(key)).await;
    let read = |view: &mut store::View<'_>| view.texts().list_unread(10);
    let unread = bench.store.read::<_, StoreError, _>(read).await.unwrap();
    assert_eq!(unread.len(), 1);
    assert!(unread[0].octets.windows(8).any(|window| window == b"00000002"), "another's is kept");
    let due = write(&bench, |tx| tx.texts().take_due(10)).await;
    assert_eq!(due.iter().map(|text| text.to).collect::<Vec<_>>(), [number(2); 2], "nothing more goes out");
}
