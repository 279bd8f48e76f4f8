//! Ten thousand ways to tamper with the audit log, drawn at random, by somebody who can write what they
//! like to the database and to the file of heads, and has not the keys: each is found by the code that
//! `hutong audit verify` runs.

use domain::ids::{ProductId, ProductOrderId};
use domain::world::{SeededDice, SetClock, World};
use std::sync::Arc;
use store::StoreError;
use store::audit::{
    Actor, AuditAction, AuditEntry, AuditKey, AuditRow, CHAINS, Fault, Head, Heads, Verified, Verifier,
};
use uuid::Uuid;

use crate::audit_laws::{append, person};
use crate::backends::Bench;

const TAMPERINGS: usize = 10_000;

/// A log, and everything about it that lies open to whoever can write.
#[derive(Clone, PartialEq)]
struct Log {
    rows: Vec<AuditRow>,
    heads: Vec<Head>,
    kept: String,
}

/// What the tamperer has besides: the keys stay with the verifier, older genuine heads may have been
/// written down by somebody who looked on.
struct Past {
    heads: Vec<Heads>,
    foreign: Heads,
}

fn verify(log: &Log, keys: &[AuditKey]) -> Result<Verified, Fault> {
    let kept = Heads::parse(&log.kept).map_err(|_| Fault {
        rows: 0,
        place: None,
        what: "the file of heads is none",
    })?;
    let mut verifier = Verifier::new(keys.to_vec(), Heads::new(log.heads.clone()), vec![kept])?;
    // The database gives them out in this order, wherever a tamperer puts them.
    let mut rows: Vec<_> = log.rows.iter().collect();
    rows.sort_by_key(|row| (row.chain, row.seq));
    rows.into_iter().try_for_each(|row| verifier.take(row))?;
    verifier.finish(i64::try_from(log.rows.len()).unwrap())
}

async fn build(bench: &Bench, rows: u64, rotate_at: u64) -> (Log, Vec<AuditKey>, Vec<Heads>) {
    let actions = AuditAction::ALL;
    let mut past = Vec::new();
    for n in 0..rows {
        let action = actions[usize::try_from(n).unwrap() % actions.len()];
        let entry = match n % 4 {
            0 => AuditEntry::new(Actor::Operator("billing".to_owned()), action).with("n", n),
            1 => AuditEntry::by(person(bench, n % 7), action),
            2 => AuditEntry::new(Actor::Platform, action).order(ProductOrderId(Uuid::from_u128(n.into()))),
            _ => AuditEntry::new(Actor::Platform, action)
                .about(person(bench, n % 11))
                .order(ProductOrderId(Uuid::from_u128(n.into())))
                .product(ProductId(Uuid::from_u128(n.into()))),
        };
        append(bench, entry).await;
        bench.clock.advance_s(1);
        if n == rotate_at {
            let write = |tx: &mut store::Tx<'_>| tx.audit().begin_generation(&Actor::Local);
            bench.store.write::<_, StoreError, _>(write).await.unwrap();
        }
        past.push(bench.store.read::<_, StoreError, _>(|view| view.audit().heads()).await.unwrap());
    }
    let read = |view: &mut store::View<'_>| Ok((view.audit().list_all()?, view.audit().keys()?));
    let (rows, keys) = bench.store.read::<_, StoreError, _>(read).await.unwrap();
    let heads = past.pop().unwrap();
    (Log { rows, heads: heads.all().to_vec(), kept: heads.to_text() }, keys, past)
}

/// A tamperer's dice.
struct Dice(World);

impl Dice {
    fn below(&self, bound: usize) -> usize {
        usize::try_from(self.0.below(u32::try_from(bound).unwrap())).unwrap()
    }

    fn flip(&self, bytes: &mut [u8]) {
        let place = self.below(bytes.len());
        bytes[place] ^= 1 << self.below(8);
    }

    fn row(&self, log: &Log) -> usize {
        self.below(log.rows.len())
    }
}

fn change_a_column(log: &mut Log, dice: &Dice) {
    let row = dice.row(log);
    let row = &mut log.rows[row];
    let delta = 1 + i64::from(dice.0.below(1_000));
    match dice.below(10) {
        0 => row.chain = (row.chain + delta) % (CHAINS * 2),
        1 => row.seq += delta,
        2 => row.at += delta,
        3 => row.actor.push('x'),
        4 => row.action = AuditAction::ALL[dice.below(AuditAction::ALL.len())].word().to_owned(),
        5 => match &mut row.subject {
            Some(subject) => dice.flip(subject),
            None => row.subject = Some(Vec::new()),
        },
        6 => row.detail = row.detail.replacen('"', "'", 1) + " ",
        7 => row.generation += if dice.below(2) == 0 { 1 } else { -1 },
        8 => dice.flip(&mut row.previous),
        _ => dice.flip(&mut row.hash),
    }
}

fn swap_two_rows(log: &mut Log, dice: &Dice) {
    let (one, other) = (dice.row(log), dice.row(log));
    if dice.below(2) == 0 {
        // They change places, each as it is but for its place.
        let (a, b) = (log.rows[one].clone(), log.rows[other].clone());
        (log.rows[one].chain, log.rows[one].seq) = (b.chain, b.seq);
        (log.rows[other].chain, log.rows[other].seq) = (a.chain, a.seq);
    } else {
        let (a, b) = (log.rows[one].detail.clone(), log.rows[other].detail.clone());
        (log.rows[one].detail, log.rows[other].detail) = (b, a);
    }
}

fn delete_rows(log: &mut Log, dice: &Dice) {
    let row = dice.row(log);
    log.rows.remove(row);
    if dice.below(2) == 0 {
        // And close the gap.
        let (chain, seq) = log.rows.get(row).map_or((0, 0), |row| (row.chain, row.seq));
        for row in log.rows.iter_mut().filter(|row| row.chain == chain && row.seq >= seq && seq > 0) {
            row.seq -= 1;
        }
    }
}

fn duplicate_a_row(log: &mut Log, dice: &Dice) {
    let mut copy = log.rows[dice.row(log)].clone();
    if dice.below(2) == 0 {
        copy.seq =
            log.rows.iter().filter(|row| row.chain == copy.chain).map(|row| row.seq).max().unwrap() + 1;
    }
    log.rows.push(copy);
}

fn insert_a_forged_row(log: &mut Log, dice: &Dice) {
    let last = log.rows[dice.row(log)].clone();
    let last =
        log.rows.iter().filter(|row| row.chain == last.chain).max_by_key(|row| row.seq).unwrap().clone();
    let mut forged = AuditRow { seq: last.seq + 1, previous: last.hash.clone(), ..last };
    // Under a key of their own, and with a head to match.
    let key = AuditKey::new(forged.generation, dice.0.bytes());
    forged.hash = key.row_hash(&forged).to_vec();
    let head = log.heads.iter_mut().find(|head| head.chain == forged.chain).unwrap();
    head.count = forged.seq;
    head.hash = forged.hash.clone().try_into().unwrap();
    if dice.below(2) == 0 {
        dice.flip(&mut head.mac);
    }
    log.rows.push(forged);
}

/// Cuts the tail of one chain, or of all, at an earlier state of the log, with the genuine heads of that
/// time or with those that stand there.
fn cut_the_tail(log: &mut Log, dice: &Dice, past: &Past) {
    let then = &past.heads[dice.below(past.heads.len())];
    let (whole, replay) = (dice.below(2) == 0, dice.below(2) == 0);
    let chain = log.rows[dice.row(log)].chain;
    for head in then.all().iter().filter(|head| whole || head.chain == chain) {
        log.rows.retain(|row| row.chain != head.chain || row.seq <= head.count);
        if replay {
            *log.heads.iter_mut().find(|known| known.chain == head.chain).unwrap() = head.clone();
        }
    }
}

fn cut_off_everything(log: &mut Log, dice: &Dice, past: &Past) {
    log.rows.clear();
    if dice.below(2) == 0 {
        log.heads.clear();
    } else {
        log.heads = past.heads[0].all().to_vec();
        for head in &mut log.heads {
            (head.count, head.hash) = (0, [0; 32]);
        }
    }
}

fn tamper_with_a_head(log: &mut Log, dice: &Dice, past: &Past) {
    let (one, other) = (dice.below(log.heads.len()), dice.below(log.heads.len()));
    match dice.below(6) {
        0 => log.heads[one] = Head { chain: log.heads[one].chain, ..log.heads[other].clone() },
        1 => log.heads[one] = past.heads[dice.below(past.heads.len())].all()[one].clone(),
        2 => log.heads[one] = past.foreign.all()[one].clone(),
        3 => dice.flip(&mut log.heads[one].mac),
        4 => log.heads[one].count += 1,
        _ => drop(log.heads.remove(one)),
    }
}

fn tamper_with_the_file(log: &mut Log, dice: &Dice, past: &Past) {
    match dice.below(4) {
        0 => {
            let mut bytes = log.kept.clone().into_bytes();
            let place = dice.below(bytes.len());
            bytes[place] = if bytes[place] == b'1' { b'2' } else { b'1' };
            log.kept = String::from_utf8(bytes).unwrap();
        }
        1 => {
            let mut lines: Vec<_> = log.kept.lines().collect();
            lines.remove(dice.below(lines.len()));
            log.kept = lines.join("\n");
        }
        2 => log.kept = past.foreign.to_text(),
        _ => log.kept.truncate(dice.below(log.kept.len())),
    }
}

fn move_a_row_to_another_chain(log: &mut Log, dice: &Dice) {
    let (row, other) = (dice.row(log), log.rows[dice.row(log)].chain);
    let end = log.rows.iter().filter(|row| row.chain == other).map(|row| row.seq).max().unwrap();
    (log.rows[row].chain, log.rows[row].seq) = (other, end + 1);
}

fn tamper(log: &mut Log, dice: &Dice, past: &Past) -> &'static str {
    match dice.below(10) {
        0 | 1 => change_a_column(log, dice),
        2 => swap_two_rows(log, dice),
        3 => delete_rows(log, dice),
        4 => duplicate_a_row(log, dice),
        5 => insert_a_forged_row(log, dice),
        6 => cut_the_tail(log, dice, past),
        7 => {
            cut_off_everything(log, dice, past);
            return "cut off everything";
        }
        8 => tamper_with_a_head(log, dice, past),
        _ => {
            if dice.below(2) == 0 {
                tamper_with_the_file(log, dice, past);
                return "the file";
            }
            move_a_row_to_another_chain(log, dice);
        }
    }
    "rows and heads"
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_random_tamperings_are_all_found() {
    let bench = Bench::embedded();
    let (log, keys, heads) = build(&bench, 96, 40).await;
    let rows = i64::try_from(log.rows.len()).unwrap();
    assert_eq!(verify(&log, &keys), Ok(Verified { rows }));
    let other = Bench::embedded();
    // The same keys and dice: only a throw more tells the two logs apart.
    let _: [u8; 32] = other.world.bytes();
    let (_, _, foreign) = build(&other, 8, 90).await;
    let past = Past { heads, foreign: foreign[6].clone() };
    let seed = std::env::var("HUTONG_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(11);
    let world = World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(seed)));
    let dice = Dice(world);
    let mut done = 0;
    while done < TAMPERINGS {
        let mut tampered = log.clone();
        let how = tamper(&mut tampered, &dice, &past);
        // Two rows of the same content may change places: nothing is changed then.
        if same(&tampered, &log) {
            continue;
        }
        done += 1;
        assert!(verify(&tampered, &keys).is_err(), "tampering {done} of seed {seed} was not found: {how}");
    }
}

/// Whether two logs say the same, in whatever order their rows lie.
fn same(one: &Log, other: &Log) -> bool {
    let sorted = |log: &Log| {
        let mut log = log.clone();
        log.rows.sort_by_key(|row| (row.chain, row.seq));
        log
    };
    sorted(one) == sorted(other)
}
