//! Laws of texts out and in.

use domain::ids::TextId;
use domain::limits;
use domain::world::after_seconds;
use store::texts::{
    COPY_WINDOW_S, NewInbound, NewPart, NewText, OutboundText, PartBody, ReceiptTaken, SettledText,
    TextPurpose, TextState, TextsTx, Unread,
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
    what_is_said_of_a_sending_counts_no_more_once_the_text_is_taken_again
    the_parts_of_a_text_are_kept_until_the_last_has_come_whatever_their_order
    a_reference_used_again_begins_a_text_anew
    one_phone_cannot_fill_the_store_with_beginnings
    what_cannot_be_read_is_kept_as_it_came_up_to_a_limit
    what_a_phone_said_until_a_moment_waits_in_its_order_until_it_is_acted_on
    what_the_centre_called_the_parts_of_a_text_is_kept_in_their_order
    what_an_operator_asked_for_is_told_from_other_texts_and_forgotten_with_whom_it_names
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
    write(&bench, move |texts| texts.requeue_uncounted(id, 1, now)).await;
    assert_eq!(take(&bench).await[0].attempts, 1);
    write(&bench, move |texts| texts.requeue(id, 2, now)).await;
    assert_eq!(take(&bench).await[0].attempts, 2);
    let unanswered = write(&bench, move |texts| texts.list_unanswered(None)).await;
    assert_eq!((unanswered[0].attempts, unanswered[0].body.as_str()), (2, "hello"));
}

async fn a_text_settles_once_and_is_told_once(bench: Bench) {
    let id = queue(&bench, "a").await;
    take(&bench).await;
    let unknown = move |texts: &mut TextsTx<'_>| texts.settle(id, 1, TextState::Unknown);
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
    write(&bench, move |texts| texts.requeue(id, 1, now)).await;
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
    assert_eq!(
        (seen.queued, seen.oldest, seen.next_expiry),
        (2, Some(first), Some(after_seconds(first, 100)))
    );
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

async fn what_a_phone_said_until_a_moment_waits_in_its_order_until_it_is_acted_on(bench: Bench) {
    let receive = async |from: u64, body: &str| {
        let text = NewInbound {
            id: TextId(bench.world.uuid()),
            account: ACCOUNT.to_owned(),
            from: number(from),
            destination: "10690001".to_owned(),
            body: body.to_owned(),
        };
        let id = text.id;
        assert!(write(&bench, move |texts| texts.receive(&text)).await);
        id
    };
    let first = receive(1, "4827").await;
    receive(2, "4827").await;
    bench.clock.advance_s(1);
    receive(1, "no").await;
    let now = bench.world.now();
    bench.clock.advance_s(1);
    receive(1, "late").await;
    let key = bench.store.keys().contact_key(number(1));
    write(&bench, move |texts| {
        let said = |texts: &mut TextsTx<'_>| -> Result<Vec<String>, StoreError> {
            Ok(texts.list_waiting_inbound(key, now)?.into_iter().map(|text| text.body).collect())
        };
        assert_eq!(said(texts)?, ["4827", "no"]);
        texts.wipe_inbound(first)?;
        assert_eq!(said(texts)?, ["no"]);
        Ok(())
    })
    .await;
}

async fn what_the_centre_called_the_parts_of_a_text_is_kept_in_their_order(bench: Bench) {
    let id = queue(&bench, "a").await;
    take(&bench).await;
    accept(&bench, id, &["z", "a"]).await;
    assert_eq!(write(&bench, move |texts| texts.list_message_ids(id)).await, ["z", "a"]);
    let other = TextId(bench.world.uuid());
    assert!(write(&bench, move |texts| texts.list_message_ids(other)).await.is_empty());
}

async fn what_is_said_of_a_sending_counts_no_more_once_the_text_is_taken_again(bench: Bench) {
    let id = queue(&bench, "a").await;
    let now = bench.world.now();
    let first = take(&bench).await[0].sending;
    write(&bench, move |texts| texts.requeue(id, first, now)).await;
    let second = take(&bench).await[0].clone();
    assert_eq!(second.attempts, 2);
    // Whoever had it first learns late that it never left, or that nobody knows.
    write(&bench, move |texts| texts.requeue_uncounted(id, first, now)).await;
    assert_eq!(write(&bench, move |texts| texts.settle(id, first, TextState::Unknown)).await, None);
    assert!(take(&bench).await.is_empty());
    let there = write(&bench, |texts| texts.list_unanswered(None)).await;
    assert_eq!((there[0].attempts, there[0].sending), (2, second.sending));
    let settled_by_second =
        write(&bench, move |texts| texts.settle(id, second.sending, TextState::Unknown)).await;
    assert_eq!(settled_by_second, Some(settled(id, TextState::Unknown, "a")));
}

fn part(place: u8, total: u8, words: &str) -> NewPart {
    NewPart {
        account: ACCOUNT.to_owned(),
        from: number(1),
        destination: "10690001".to_owned(),
        reference: 7,
        total,
        number: place,
        body: PartBody { coding: 0, octets: words.as_bytes().to_vec() },
    }
}

async fn come(bench: &Bench, part: NewPart) -> Option<String> {
    let whole = write(bench, move |texts| texts.receive_part(&part)).await?;
    Some(whole.into_iter().map(|body| String::from_utf8(body.octets).unwrap()).collect())
}

async fn the_parts_of_a_text_are_kept_until_the_last_has_come_whatever_their_order(bench: Bench) {
    assert_eq!(come(&bench, part(3, 3, "c")).await, None);
    assert_eq!(come(&bench, part(3, 3, "c")).await, None, "a copy");
    assert_eq!(come(&bench, part(1, 3, "a")).await, None);
    let stranger = NewPart { from: number(2), ..part(2, 3, "x") };
    assert_eq!(come(&bench, stranger).await, None, "another phone's");
    assert_eq!(come(&bench, part(4, 3, "x")).await, None, "no part at all");
    assert_eq!(come(&bench, part(2, 3, "b")).await.as_deref(), Some("abc"));
    assert_eq!(come(&bench, part(2, 3, "b")).await, None, "the others are forgotten");
    bench.clock.advance_s(limits::INBOX_PARTS_KEEP_S);
    assert_eq!(come(&bench, part(1, 3, "a")).await, None);
    assert_eq!(come(&bench, part(3, 3, "c")).await, None, "the second part was too old");
}

async fn a_reference_used_again_begins_a_text_anew(bench: Bench) {
    assert_eq!(come(&bench, part(1, 2, "old")).await, None);
    assert_eq!(come(&bench, part(1, 2, "new")).await, None);
    assert_eq!(come(&bench, part(2, 2, "er")).await.as_deref(), Some("newer"));
}

async fn one_phone_cannot_fill_the_store_with_beginnings(bench: Bench) {
    let most = u16::try_from(limits::INBOX_PARTS_PHONE_MAX).unwrap();
    let beginning = |reference| NewPart { reference, ..part(1, 2, "a") };
    assert_eq!(come(&bench, beginning(0)).await, None);
    bench.clock.advance_s(1);
    write(&bench, move |texts| {
        (1..=most).try_for_each(|reference| texts.receive_part(&beginning(reference)).map(drop))
    })
    .await;
    let end = |reference| NewPart { reference, ..part(2, 2, "b") };
    assert_eq!(come(&bench, end(0)).await, None, "the oldest beginning has gone");
    assert_eq!(come(&bench, end(most)).await.as_deref(), Some("ab"));
}

async fn what_cannot_be_read_is_kept_as_it_came_up_to_a_limit(bench: Bench) {
    let unread = |octets: &[u8]| Unread {
        id: TextId(bench.world.uuid()),
        account: ACCOUNT.to_owned(),
        octets: octets.to_vec(),
    };
    let first = unread(&[0, 255, 7]);
    assert!(write(&bench, move |texts| texts.keep_unread(&first)).await);
    let kept = bench.store.read::<_, StoreError, _>(|view| view.texts().list_unread(10)).await.unwrap();
    assert_eq!((kept.len(), kept[0].octets.as_slice()), (1, &[0, 255, 7][..]));
    let more: Vec<_> = (1..limits::INBOX_UNREAD_MAX).map(|_| unread(b"x")).collect();
    write(&bench, move |texts| more.iter().try_for_each(|unread| texts.keep_unread(unread).map(drop))).await;
    let last = unread(b"y");
    assert!(!write(&bench, move |texts| texts.keep_unread(&last)).await);
}

async fn what_an_operator_asked_for_is_told_from_other_texts_and_forgotten_with_whom_it_names(bench: Bench) {
    let other = queue(&bench, "order").await;
    let (asked, text) = (bench.world.uuid(), queue(&bench, "asked").await);
    let key = bench.store.keys().contact_key(number(1));
    let write = bench.store.write::<_, StoreError, _>(move |tx: &mut Tx<'_>| {
        tx.texts().put_communication(asked, b"as asked")?;
        tx.texts().join_communication(asked, text, 3)?;
        let texts = tx.texts().list_texts(0, 10)?;
        assert_eq!((texts.0.len(), texts.1, texts.0[0].id), (1, 1, other));
        assert_eq!((texts.0[0].to, texts.0[0].body.as_deref()), (Some(number(1)), Some("hello")));
        assert!(tx.texts().find_text(text)?.is_none() && tx.texts().find_text(other)?.is_some());
        let of = tx.texts().list_texts_of(asked)?;
        assert_eq!((of.len(), of[0].id, of[0].place), (1, text, Some(3)));
        let (listed, total) = tx.texts().list_communications(0, 10)?;
        assert_eq!((listed[0].request.as_deref(), total), (Some(b"as asked".as_slice()), 1));
        assert!(tx.texts().take_back(text)? && !tx.texts().take_back(text)?);
        tx.texts().silence(key)?;
        assert_eq!(tx.texts().find_communication(asked)?.unwrap().request, None);
        assert_eq!(tx.texts().list_texts_of(asked)?[0].to, None);
        tx.platform().withdraw(asked)?;
        tx.platform().withdraw(other.0)?;
        assert_eq!((tx.texts().list_communications(0, 10)?.1, tx.texts().list_texts(0, 10)?.1), (0, 0));
        Ok(())
    });
    write.await.unwrap();
}
