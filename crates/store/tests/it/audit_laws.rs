//! Laws of the audit log.

use std::path::Path;

use domain::ids::ProductOrderId;
use domain::key::ContactKey;
use store::StoreError;
use store::audit::{Actor, AuditAction, AuditEntry, AuditRow, Fault, Heads, Verified};
use uuid::Uuid;

use crate::backends::{Bench, laws, number};

laws! {
    what_is_appended_is_read_back_and_holds
    an_entry_stands_or_falls_with_its_write
    erasing_a_person_unlinks_them_and_the_log_still_holds
    a_rotation_goes_on_in_the_same_chains_and_the_former_keys_append_nothing
    parallel_entries_about_one_person_all_stand_in_one_chain
    heads_kept_elsewhere_tell_a_log_that_was_put_back
}

const ORDER: ProductOrderId = ProductOrderId(Uuid::from_u128(7));

pub(crate) fn person(bench: &Bench, n: u64) -> ContactKey {
    bench.store.keys().contact_key(number(n))
}

pub(crate) async fn append(bench: &Bench, entry: AuditEntry) {
    bench.store.write::<_, StoreError, _>(move |tx| tx.audit().append(&entry)).await.unwrap();
}

async fn verify(bench: &Bench, kept: &[Heads]) -> Result<Verified, Fault> {
    let kept = kept.to_vec();
    bench.store.read::<_, StoreError, _>(move |view| view.audit().verify(&kept)).await.unwrap()
}

async fn heads(bench: &Bench) -> Heads {
    bench.store.read::<_, StoreError, _>(|view| view.audit().heads()).await.unwrap()
}

async fn of_person(bench: &Bench, key: ContactKey) -> Vec<AuditRow> {
    bench.store.read::<_, StoreError, _>(move |view| view.audit().list_of_person(key)).await.unwrap()
}

async fn of_order(bench: &Bench, key: ContactKey) -> Vec<AuditRow> {
    let read = move |view: &mut store::View<'_>| view.audit().list_of_order(Some(key), ORDER, None);
    bench.store.read::<_, StoreError, _>(read).await.unwrap()
}

async fn what_is_appended_is_read_back_and_holds(bench: Bench) {
    assert_eq!(verify(&bench, &[]).await, Ok(Verified { rows: 0 }));
    let key = person(&bench, 1);
    append(&bench, AuditEntry::by(key, AuditAction::ConsentGiven).with("consent", "upload")).await;
    append(&bench, AuditEntry::new(Actor::Platform, AuditAction::OrderRejected).about(key).order(ORDER))
        .await;
    append(&bench, AuditEntry::by(person(&bench, 2), AuditAction::SignedIn)).await;
    append(&bench, AuditEntry::new(Actor::Operator("billing".to_owned()), AuditAction::Seeded)).await;
    assert_eq!(verify(&bench, &[heads(&bench).await]).await, Ok(Verified { rows: 4 }));
    let rows = of_person(&bench, key).await;
    let said: Vec<_> = rows.iter().map(|row| (row.actor.as_str(), row.action.as_str())).collect();
    assert_eq!(said, [("subscriber", "consent_given"), ("platform", "order_rejected")]);
    assert_eq!(rows[0].detail, r#"{"consent":"upload"}"#);
    assert_eq!(of_order(&bench, key).await, rows[1..]);
    assert!(of_order(&bench, person(&bench, 2)).await.is_empty());
}

async fn an_entry_stands_or_falls_with_its_write(bench: Bench) {
    let key = person(&bench, 1);
    let refused = bench
        .store
        .write::<(), StoreError, _>(move |tx| {
            tx.audit().append(&AuditEntry::by(key, AuditAction::SignedIn))?;
            Err(StoreError::new(store::Kind::Internal, "the write fails after all"))
        })
        .await;
    assert!(refused.is_err());
    assert_eq!(verify(&bench, &[]).await, Ok(Verified { rows: 0 }));
}

async fn erasing_a_person_unlinks_them_and_the_log_still_holds(bench: Bench) {
    let key = person(&bench, 1);
    append(&bench, AuditEntry::new(Actor::Platform, AuditAction::OrderAccepted).about(key).order(ORDER))
        .await;
    let before = of_person(&bench, key).await;
    bench.store.write::<_, StoreError, _>(move |tx| tx.audit().unlink(key)).await.unwrap();
    assert!(of_person(&bench, key).await.is_empty());
    assert!(of_order(&bench, key).await.is_empty());
    // Whoever comes back is somebody else to the log.
    append(&bench, AuditEntry::new(Actor::Platform, AuditAction::OrderAccepted).about(key).order(ORDER))
        .await;
    let after = of_person(&bench, key).await;
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_ne!(before[0].subject, after[0].subject);
    assert_ne!(before[0].detail, after[0].detail, "the order's pseudonym goes with the person's");
    assert_eq!(verify(&bench, &[]).await, Ok(Verified { rows: 2 }));
}

async fn a_rotation_goes_on_in_the_same_chains_and_the_former_keys_append_nothing(bench: Bench) {
    append(&bench, AuditEntry::by(person(&bench, 1), AuditAction::SignedIn)).await;
    let old = heads(&bench).await;
    let keys = bench.store.read::<_, StoreError, _>(|view| view.audit().keys()).await.unwrap();
    bench.store.write::<_, StoreError, _>(|tx| tx.audit().begin_generation(&Actor::Local)).await.unwrap();
    append(&bench, AuditEntry::by(person(&bench, 1), AuditAction::SignedOut)).await;
    let all = 2 + store::audit::CHAINS;
    assert_eq!(verify(&bench, &[old, heads(&bench).await]).await, Ok(Verified { rows: all }));

    // A row made with the former key follows well, and is refused for its key.
    let (mut rows, newest, now) = bench
        .store
        .read::<_, StoreError, _>(|view| {
            let mut audit = view.audit();
            Ok((audit.list_all()?, audit.keys()?, audit.heads()?))
        })
        .await
        .unwrap();
    let mut forged = rows.last().unwrap().clone();
    (forged.seq, forged.generation) = (forged.seq + 1, keys[0].generation());
    forged.previous = rows.last().unwrap().hash.clone();
    forged.hash = keys[0].row_hash(&forged).to_vec();
    rows.push(forged);
    let mut verifier = store::audit::Verifier::new(newest, now, Vec::new()).unwrap();
    let fault = rows.iter().find_map(|row| verifier.take(row).err()).unwrap();
    assert_eq!((fault.rows, fault.what), (all, "its key is not the one in use at its time"));
}

async fn parallel_entries_about_one_person_all_stand_in_one_chain(bench: Bench) {
    let key = person(&bench, 1);
    append(&bench, AuditEntry::by(key, AuditAction::SignedIn)).await;
    let entries = (0..24).map(|_| append(&bench, AuditEntry::by(key, AuditAction::Shared)));
    futures::future::join_all(entries).await;
    assert_eq!(of_person(&bench, key).await.len(), 25);
    assert_eq!(verify(&bench, &[]).await, Ok(Verified { rows: 25 }));
}

async fn heads_kept_elsewhere_tell_a_log_that_was_put_back(bench: Bench) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("heads");
    bench.store.keep_audit_heads(&file).await.unwrap();
    let key = person(&bench, 1);
    append(&bench, AuditEntry::by(key, AuditAction::SignedIn)).await;
    append(&bench, AuditEntry::by(key, AuditAction::Shared)).await;
    bench.store.close().await;
    let kept = Heads::parse(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(kept.rows(), 2);

    // Another log under the same keys stands for one that was put back or cut off whole.
    let other = Bench::embedded();
    other.store.keep_audit_heads(&file).await.unwrap();
    assert!(verify(&other, &[kept]).await.is_err());
    other.store.close().await;
    let said: Vec<_> = files(&file).iter().map(|text| Heads::parse(text).unwrap().rows()).collect();
    assert_eq!(said, [0, 2], "what the file said is set aside, not written over");
}

fn files(file: &Path) -> Vec<String> {
    let files = store::Store::audit_head_files(file).unwrap();
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}
