//! Laws of forgetting.

use domain::funnel::FunnelStep;
use domain::ids::{HubEventId, HubId, RegistrationId, TextId};
use domain::key::ContactKey;
use domain::limiter::Rule;
use domain::limits;
use domain::locale::Locale;
use domain::world::after_seconds;
use jiff::Timestamp;
use serde_json::json;
use store::contacts::{CodeTried, Counted, NewRegistration};
use store::exchange::{EventKind, FirstAnswer};
use store::texts::{NewInbound, NewText, ReceiptTaken, TextPurpose, TextState};
use store::upkeep::{Retention, Upkeep};
use store::{FunnelEvent, StoreError, Tx};

use crate::backends::{Bench, laws, number};

laws! {
    what_is_past_its_time_is_forgotten_and_nothing_before
    forgetting_goes_in_portions
    a_limiter_counts_on_while_others_are_forgotten
    a_text_that_waits_is_not_forgotten
}

const DAY_S: i64 = 86_400;
const KEEP: Retention = Retention { texts_days: 3, funnel_days: 5, hub_events_days: 4 };
const ACCOUNT: &str = "account";

async fn write<T: Send + 'static>(
    bench: &Bench,
    verb: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    bench.store.write::<_, StoreError, _>(verb).await.unwrap()
}

async fn forget(bench: &Bench) -> bool {
    Upkeep::new(bench.store.clone(), bench.world.clone(), KEEP).portion().await.unwrap()
}

fn key(bench: &Bench, n: u64) -> ContactKey {
    bench.store.keys().contact_key(number(n))
}

fn text(bench: &Bench, life_s: i64) -> NewText {
    NewText {
        id: TextId(bench.world.uuid()),
        purpose: TextPurpose::SignIn,
        to: number(1),
        suffix: String::new(),
        body: "body".to_owned(),
        not_after: after_seconds(bench.world.now(), life_s),
        reference: None,
    }
}

/// One of everything that is forgotten one day.
#[derive(Clone)]
struct Traces {
    person: ContactKey,
    registration: NewRegistration,
    text: NewText,
    inbound: NewInbound,
    listener: HubId,
    since: Timestamp,
}

/// Which of them are there: attempt, text, its part, inbound text, event, funnel step, hub event, first answer.
async fn there(bench: &Bench, traces: &Traces) -> [bool; 8] {
    let Traces { person, registration, text, inbound, listener, since } = traces.clone();
    let now = bench.world.now();
    write(bench, move |tx| {
        Ok([
            tx.contacts().try_code(registration.id, "x", 5)? != CodeTried::Unknown,
            tx.texts().find_state(text.id)?.is_some(),
            tx.texts().receive_receipt(ACCOUNT, "1", true)? != ReceiptTaken::NotKnown,
            tx.texts().find_inbound(inbound.id)?.is_some(),
            tx.exchange().last_event(person)? > 0,
            tx.funnel().count(FunnelStep::Seen, since)? > 0,
            !tx.platform().list_hub_events(listener, 9)?.is_empty(),
            tx.exchange().find_first_answer(person, "key", b"", now)? != FirstAnswer::New,
        ])
    })
    .await
}

async fn leave_traces(bench: &Bench) -> Traces {
    let now = bench.world.now();
    let registration = NewRegistration {
        id: RegistrationId(bench.world.uuid()),
        number: number(1),
        locale: Locale::Chinese,
        code: "123456".to_owned(),
        expires: after_seconds(now, 300),
    };
    let inbound = NewInbound {
        id: TextId(bench.world.uuid()),
        account: ACCOUNT.to_owned(),
        from: number(1),
        destination: "10690001".to_owned(),
        body: "hello".to_owned(),
    };
    let listener = HubId(bench.world.uuid());
    let traces =
        Traces { person: key(bench, 1), registration, text: text(bench, 300), inbound, listener, since: now };
    let (left, event) = (traces.clone(), HubEventId(bench.world.uuid()));
    write(bench, move |tx| {
        tx.contacts().begin_registration(&left.registration)?;
        tx.texts().enqueue(&left.text)?;
        tx.texts().take_due(1)?;
        tx.texts().accept(left.text.id, ACCOUNT, &["1".to_owned()])?;
        tx.texts().receive(&left.inbound)?;
        tx.exchange().append_event(left.person, EventKind::Order, None, &json!({}))?;
        tx.exchange().keep_first_answer(left.person, "key", b"", "{}")?;
        let (step, person) = (FunnelStep::Seen, Some(left.person));
        tx.funnel().record(&FunnelEvent { step, offering: None, person, friend: None, cause: None })?;
        tx.platform().append_hub_event(left.listener, event, "Kind", b"{}")
    })
    .await;
    traces
}

async fn what_is_past_its_time_is_forgotten_and_nothing_before(bench: Bench) {
    let traces = leave_traces(&bench).await;
    let mut expected = [true; 8];
    assert!(!forget(&bench).await);
    assert_eq!(there(&bench, &traces).await, expected);
    // In the order in which they go: what is gone after so many seconds.
    let ends: [(i64, &[usize]); 6] = [
        (limits::IDEMPOTENCY_KEEP_S, &[7]),
        (300 + limits::REGISTRATION_KEEP_S, &[0]),
        (KEEP.texts_days * DAY_S, &[1, 2, 3]),
        (KEEP.hub_events_days * DAY_S, &[6]),
        (KEEP.funnel_days * DAY_S, &[5]),
        (limits::EVENTS_KEEP_DAYS * DAY_S, &[4]),
    ];
    let mut passed = 0;
    for (end, gone) in ends {
        bench.clock.advance_s(end - passed);
        passed = end;
        forget(&bench).await;
        // A first answer counts for its time to the second; the others go with the first look after it.
        if gone != [7] {
            assert_eq!(there(&bench, &traces).await, expected, "at {end} s");
            bench.clock.advance_s(1);
            passed += 1;
            forget(&bench).await;
        }
        gone.iter().for_each(|which| expected[*which] = false);
        assert_eq!(there(&bench, &traces).await, expected, "after {end} s");
    }
}

async fn forgetting_goes_in_portions(bench: Bench) {
    let rows = limits::count(limits::UPKEEP_ROWS_MAX) + 1;
    write(&bench, move |tx| (0..rows).try_for_each(|_| tx.contacts().count_hit(Counted::TextsFrom(b"here"))))
        .await;
    bench.clock.advance_s(limits::LIMITER_KEEP_S + 1);
    assert!(forget(&bench).await, "there is more");
    assert!(!forget(&bench).await);
}

async fn a_limiter_counts_on_while_others_are_forgotten(bench: Bench) {
    let counted = Counted::WrongFor(key(&bench, 1));
    let shut = async || {
        let day = [Rule { max: 2, window_s: DAY_S }];
        write(&bench, move |tx| tx.contacts().next_allowed(counted, &day)).await.is_some()
    };
    write(&bench, move |tx| tx.contacts().count_hit(counted)).await;
    write(&bench, move |tx| tx.contacts().count_hit(counted)).await;
    bench.clock.advance_s(DAY_S - 1);
    forget(&bench).await;
    assert!(shut().await);
    bench.clock.advance_s(1);
    assert!(!shut().await);
}

async fn a_text_that_waits_is_not_forgotten(bench: Bench) {
    let waiting = text(&bench, 30 * DAY_S);
    let id = waiting.id;
    write(&bench, move |tx| tx.texts().enqueue(&waiting)).await;
    bench.clock.advance_s(10 * DAY_S);
    forget(&bench).await;
    let state = write(&bench, move |tx| tx.texts().find_state(id)).await;
    assert_eq!(state, Some(TextState::Queued));
}
