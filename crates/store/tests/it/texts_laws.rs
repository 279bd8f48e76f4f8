//! Laws of texts out and in.

use domain::ids::TextId;
use domain::world::after_seconds;
use store::texts::{
    COPY_WINDOW_S, NewInbound, NewText, OutboundText, ReceiptTaken, SettledText, TextPurpose, TextState,
    TextsTx,
};
use store::{StoreError, Tx};

use crate::backends::{Bench, laws, number};

laws! {
    a_text_is_taken_once_and_every_taking_counts_but_one_taken_back
    a_text_settles_once_and_is_told_once
    an_accepted_text_settles_by_its_receipts
    a_message_id_used_again_belongs_to_the_newer_text
    a_late_acceptance_overrules_unknown_and_takes_the_text_out_of_the_queue
    an_expired_text_is_not_taken_and_told_once
    the_outlook_names_the_oldest_and_the_first_to_expire
    the_same_words_are_a_copy_for_ten_minutes_and_no_longer
}

const ACCOUNT: &str = "account";

async fn write<T: Send + 'static>(
    bench: &Bench,
    mut verb: impl FnMut(&mut TextsTx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    bench.store.write::<_, StoreError, _>(move |tx: &mut Tx<'_>| verb(&mut tx.texts())).await.unwrap()
}

async fn queue(bench: &Bench, reference: &str) -> TextId {
    let text = NewText {
        id: TextId(bench.world.uuid()),
        purpose: TextPurpose::Confirmation,
        to: number(1),
        suffix: String::new(),
        body: "hello".to_owned(),
        not_after: after_seconds(bench.world.now(), 100),
        reference: Some(reference.to_owned()),
    };
    let id = text.id;
    write(bench, move |texts| texts.enqueue(&text)).await;
    id
}

async fn take(bench: &Bench) -> Vec<OutboundText> {
    write(bench, |texts| texts.take_due(10)).await
}

async fn accept(bench: &Bench, id: TextId, message_ids: &[&str]) -> Option<SettledText> {
    let message_ids: Vec<String> = message_ids.iter().map(|id| (*id).to_owned()).collect();
    write(bench, move |texts| texts.accept(id, ACCOUNT, &message_ids)).await
}

async fn receipt(bench: &Bench, message_id: &'static str, delivered: bool) -> ReceiptTaken {
    write(bench, move |texts| texts.receive_receipt(ACCOUNT, message_id, delivered)).await
}

async fn state(bench: &Bench, id: TextId) -> TextState {
    bench.store.read::<_, StoreError, _>(move |view| view.texts().find_state(id)).await.unwrap().unwrap()
}

fn settled(id: TextId, state: TextState, reference: &str) -> SettledText {
    SettledText { id, purpose: TextPurpose::Confirmation, state, reference: Some(reference.to_owned()) }
}

async fn a_text_is_taken_once_and_every_taking_counts_but_one_taken_back(bench: Bench) {
    let id = queue(&bench, "a").await;
    let taken = take(&bench).await;
    assert_eq!((taken[0].attempts, taken[0].body.as_str()), (1, "hello"));
    assert!(take(&bench).await.is_empty());
    let now = bench.world.now();
    write(&bench, move |texts| texts.requeue_uncounted(id, now)).await;
    assert_eq!(take(&bench).await[0].attempts, 1);
    write(&bench, move |texts| texts.requeue(id, now)).await;
    assert_eq!(take(&bench).await[0].attempts, 2);
    let unanswered = write(&bench, move |texts| texts.take_unanswered(now)).await;
    assert_eq!((unanswered[0].attempts, unanswered[0].body.as_str()), (2, "hello"));
}

async fn a_text_settles_once_and_is_told_once(bench: Bench) {
    let id = queue(&bench, "a").await;
    take(&bench).await;
    let unknown = move |texts: &mut TextsTx<'_>| texts.settle(id, TextState::Unknown);
    assert_eq!(write(&bench, unknown).await, Some(settled(id, TextState::Unknown, "a")));
    assert_eq!(write(&bench, unknown).await, None);
    assert_eq!(accept(&bench, id, &["1"]).await, Some(settled(id, TextState::Accepted, "a")));
    assert_eq!(accept(&bench, id, &["1"]).await, None);
    assert_eq!(write(&bench, unknown).await, None);
    assert_eq!(state(&bench, id).await, TextState::Accepted);
}

async fn an_accepted_text_settles_by_its_receipts(bench: Bench) {
    let id = queue(&bench, "a").await;
    take(&bench).await;
    assert_eq!(receipt(&bench, "1", true).await, ReceiptTaken::NotKnown);
    accept(&bench, id, &["1", "", "2"]).await;
    assert_eq!(receipt(&bench, "1", true).await, ReceiptTaken::Noted);
    assert_eq!(receipt(&bench, "1", false).await, ReceiptTaken::Noted, "the first final receipt stays");
    let end = ReceiptTaken::Settled(settled(id, TextState::Delivered, "a"));
    assert_eq!(receipt(&bench, "2", true).await, end);
    assert_eq!(receipt(&bench, "2", true).await, ReceiptTaken::Noted);
    let other = queue(&bench, "b").await;
    take(&bench).await;
    accept(&bench, other, &["3", "4"]).await;
    let end = ReceiptTaken::Settled(settled(other, TextState::Undelivered, "b"));
    assert_eq!(receipt(&bench, "4", false).await, end);
    assert_eq!(receipt(&bench, "3", true).await, ReceiptTaken::Noted);
    assert_eq!(state(&bench, other).await, TextState::Undelivered);
}

async fn a_message_id_used_again_belongs_to_the_newer_text(bench: Bench) {
    for reference in ["a", "b"] {
        let id = queue(&bench, reference).await;
        take(&bench).await;
        accept(&bench, id, &["1"]).await;
        let end = ReceiptTaken::Settled(settled(id, TextState::Delivered, reference));
        assert_eq!(receipt(&bench, "1", true).await, end);
    }
}

async fn a_late_acceptance_overrules_unknown_and_takes_the_text_out_of_the_queue(bench: Bench) {
    let id = queue(&bench, "a").await;
    take(&bench).await;
    let now = bench.world.now();
    write(&bench, move |texts| texts.requeue(id, now)).await;
    assert!(accept(&bench, id, &["1"]).await.is_some());
    assert!(take(&bench).await.is_empty());
}

async fn an_expired_text_is_not_taken_and_told_once(bench: Bench) {
    let id = queue(&bench, "a").await;
    bench.clock.advance_s(100);
    assert!(take(&bench).await.is_empty());
    assert_eq!(write(&bench, |texts| texts.expire()).await, [settled(id, TextState::Expired, "a")]);
    assert!(write(&bench, |texts| texts.expire()).await.is_empty());
}

async fn the_outlook_names_the_oldest_and_the_first_to_expire(bench: Bench) {
    let outlook = async || bench.store.read::<_, StoreError, _>(|view| view.texts().outlook()).await.unwrap();
    assert_eq!(outlook().await, store::texts::QueueOutlook::default());
    let first = bench.world.now();
    queue(&bench, "a").await;
    bench.clock.advance_s(5);
    queue(&bench, "b").await;
    let seen = outlook().await;
    assert_eq!((seen.oldest, seen.next_expiry), (Some(first), Some(after_seconds(first, 100))));
}

async fn the_same_words_are_a_copy_for_ten_minutes_and_no_longer(bench: Bench) {
    let receive = async |body: &str| {
        let text = NewInbound {
            id: TextId(bench.world.uuid()),
            account: ACCOUNT.to_owned(),
            from: number(1),
            destination: "10690001".to_owned(),
            body: body.to_owned(),
        };
        write(&bench, move |texts| texts.receive(&text)).await
    };
    // Wherever in a window the first one comes, its copies are known for as long.
    bench.clock.advance_s(COPY_WINDOW_S - 1);
    assert!(receive("4827").await);
    assert!(receive("4828").await);
    assert!(!receive("4827").await);
    bench.clock.advance_s(COPY_WINDOW_S - 1);
    assert!(!receive("4827").await);
    bench.clock.advance_s(1);
    assert!(receive("4827").await);
}
