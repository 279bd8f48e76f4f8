//! `kill -9` at random moments, again and again, under a mixed load.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::world::{SeededDice, SetClock, World};

use super::journal::Journal;
use super::people::{Buyer, Sharer, Stage};
use super::town::Town;

const ROUNDS: u32 = 50;
/// Rounds on the same data; a longer run then begins anew.
const ROUNDS_A_TOWN: u32 = 200;
const SHARERS: [&str; 2] = ["+8613900139001", "+8613900139002"];
const BUYERS: usize = 6;

/// What the end of one town's run says.
#[derive(Default)]
struct Summary {
    rounds: u32,
    kills: u32,
    counts: BTreeMap<&'static str, u64>,
    violations: Vec<String>,
}

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// The sharers have the catalogue's services from the beginning.
fn seed() -> String {
    let catalogue = include_str!("../../../../../examples/catalogue.json");
    let mut seed: serde_json::Value = serde_json::from_str(catalogue).unwrap();
    let subscriptions = SHARERS.iter().flat_map(|number| {
        ["data10", "crbt", "reading"].map(|offering| {
            serde_json::json!({"number": number, "offering": offering, "since": "2026-01-01T00:00:00Z"})
        })
    });
    seed["subscriptions"] = subscriptions.collect();
    seed.to_string()
}

/// One town: so many rounds of load and kill, and then the reckoning.
async fn town(rounds: u32, dice: World) -> Summary {
    let town = Town::new(true).await;
    let mut kills = 0;
    // The first start of all may die at any moment too.
    for _ in 0..3 {
        town.stillborn(Duration::from_millis(dice.below(80).into())).await;
        kills += 1;
    }
    town.start().await;
    town.seed(seed()).await;
    let sharers = SHARERS.map(str::to_owned).to_vec();
    let stage = Stage { town, journal: Journal::default(), dice: dice.clone(), sharers };
    let mut sharers = Vec::new();
    for number in SHARERS {
        sharers.push(Sharer::begin(&stage, number).await);
    }
    let sharing = futures::future::join_all(sharers.iter_mut().map(|sharer| sharer.act(&stage)));
    let buying = futures::future::join_all((0..BUYERS).map(|_| lives(&stage)));
    let (killed, _, lives) = tokio::join!(kill_again_and_again(&stage, rounds), sharing, buying);
    kills += killed;
    let lives: Vec<Buyer> = lives.into_iter().flatten().collect();
    stage.journal.take("the end", stage.town.idle().await);
    let present = lives.iter().filter(|buyer| !buyer.erased).map(|buyer| buyer.number.clone());
    let present: BTreeSet<String> = present.collect();
    for sharer in &sharers {
        sharer.verify(&stage).await;
        sharer.verify_matches(&stage, &present).await;
    }
    for buyer in &lives {
        buyer.verify(&stage).await;
    }
    stage.journal.take("the end of all", stage.town.idle().await);
    let set_aside = stage.town.metric("jobs_set_aside").await;
    stage.journal.must(set_aside == Some(0.0), || format!("{set_aside:?} jobs were set aside"));
    stage.journal.take("hutong check", stage.town.check().await);
    for line in stage.town.errors_in_log() {
        stage.journal.violation(line);
    }
    Summary { rounds, kills, counts: stage.journal.counts(), violations: stage.journal.violations() }
}

/// Lives, one after the other, until the journal is closed.
async fn lives(stage: &Stage) -> Vec<Buyer> {
    let mut lives = Vec::new();
    while !stage.journal.closing.load(Ordering::SeqCst) {
        lives.extend(Buyer::live(stage).await);
    }
    lives
}

async fn kill_again_and_again(stage: &Stage, rounds: u32) -> u32 {
    let Stage { town, dice, .. } = stage;
    let mut kills = 0;
    for _ in 0..rounds {
        tokio::time::sleep(Duration::from_millis((100 + dice.below(700)).into())).await;
        town.kill().await;
        kills += 1;
        if dice.below(5) == 0 {
            town.stillborn(Duration::from_millis(dice.below(150).into())).await;
            kills += 1;
        }
        town.start().await;
    }
    stage.journal.closing.store(true, Ordering::SeqCst);
    kills
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_or_doubled_or_stuck_over_kill_9_at_random_moments() {
    let rounds = setting("HUTONG_KILL_ROUNDS").map_or(ROUNDS, |rounds| u32::try_from(rounds).unwrap());
    let seed = setting("HUTONG_KILL_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
    println!("kill: seed {seed}, {rounds} rounds");
    let dice = World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(seed)));
    let mut all = Summary::default();
    while all.rounds < rounds {
        let one = town((rounds - all.rounds).min(ROUNDS_A_TOWN), dice.clone()).await;
        all.rounds += one.rounds;
        all.kills += one.kills;
        // Said at once: a long run may not come to its end.
        one.violations.iter().for_each(|violation| println!("kill: violation: {violation}"));
        all.violations.extend(one.violations);
        for (what, count) in one.counts {
            *all.counts.entry(what).or_default() += count;
        }
        let Summary { rounds, kills, counts, violations } = &all;
        println!(
            "kill: seed {seed}, rounds {rounds}, kills {kills}, acknowledged {counts:?}, violations {}",
            violations.len()
        );
    }
    assert_eq!(all.violations, Vec::<String>::new(), "seed {seed}");
}
