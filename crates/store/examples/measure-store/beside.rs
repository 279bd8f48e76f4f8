//! Our store on PostgreSQL beside a row per edge on the same server, in turns.

use std::sync::Arc;
use std::time::Duration;

use domain::key::ContactKey;
use domain::world::{SeededDice, World};
use store::friends::{FeedFilter, FriendsView};
use store::{MasterKey, Store, StoreError, Tx};
use tokio_postgres::Client;

use crate::load;
use crate::ours::{self, Keys, Real};
use crate::people::{People, mixed};
use crate::rows::postgres::{self as rows, connect};

/// Services that everybody shares with all their matches.
pub(crate) const SHARED: i64 = 3;

/// Shares asked for at once: more than anybody sees.
pub(crate) const FEED: i64 = 500;

/// Everybody's services and shares, as the verbs would write them.
const SHARES: &str = "
    INSERT INTO subscription (id, owner, product, offering, status, since)
      SELECT decode(md5(p.key || '-' || n), 'hex'), p.key, p.key || '-' || n, 'o' || n, 'active', 0
      FROM unnest($1::BIGINT[]) p (key), generate_series(1, $2::BIGINT) n;";
const SHARED_ALL: &str = "
    INSERT INTO share (no, subscription, owner, named, since)
      SELECT row_number() OVER (ORDER BY id), id, owner, 0, 0 FROM subscription;";

/// A server's databases, both of which are made anew.
async fn make(url: &str) -> [String; 2] {
    let server = connect(&format!("{url}/postgres")).await;
    let mut made = Vec::new();
    for name in ["ours", "rows"] {
        server.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
        server.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        made.push(format!("{url}/{name}"));
    }
    made.try_into().unwrap()
}

async fn size(client: &Client, what: &str) {
    client.batch_execute("VACUUM ANALYZE; CHECKPOINT").await.unwrap();
    let size: i64 =
        client.query_one("SELECT pg_database_size(current_database())", &[]).await.unwrap().get(0);
    println!("{{\"what\":\"{what}\",\"bytes\":{size}}}");
    let tables = "SELECT relname, pg_total_relation_size(oid), GREATEST(reltuples, 0)::BIGINT FROM pg_class
                  WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples > 0";
    for row in client.query(tables, &[]).await.unwrap() {
        let (name, bytes, count): (String, i64, i64) = (row.get(0), row.get(1), row.get(2));
        println!("{{\"what\":\"{what} {name}\",\"bytes\":{bytes},\"rows\":{count}}}");
    }
}

pub(crate) async fn measure(people: People, url: &str, clients: usize, time: Duration, rounds: u64) {
    let [ours_at, rows_at] = make(url).await;
    let world = World::new(Arc::new(Real), Arc::new(SeededDice::new(1)));
    let store =
        Store::open_postgres(&ours_at, &MasterKey::from_secret([7; 32]), world.clone()).await.unwrap();
    let keys = Arc::new(Keys::make(&store, people));
    ours::bring_up(&store, &world, &keys, people).await;
    share_all(&store, &connect(&ours_at).await, &keys, people).await;
    size(&connect(&ours_at).await, "ours_size").await;
    let theirs = connect(&rows_at).await;
    rows::fill_all(&theirs, people).await;
    size(&theirs, "rows_size").await;
    for round in 0..rounds {
        // What else the machine does meets all alike.
        let upload = {
            let (store, keys) = (store.clone(), Arc::clone(&keys));
            move |phone| ours::upload(store.clone(), Arc::clone(&keys), people, phone)
        };
        let phones = ours::phones(people, clients, round);
        load::run("ours_upload", phones, time, None, upload).await;
        for (what, statement) in [("rows_upload", rows::ANEW), ("rows_changes", rows::CHANGES)] {
            rows::uploads(what, statement, people, &rows_at, clients, time, round).await;
        }
        feeds(&store, &keys, people, clients, time).await;
        rows::reads("rows_feed", rows::FEED, people, &rows_at, clients, time).await;
        pairs(&store, &keys, people, clients, time).await;
        rows::reads("rows_pair", rows::PAIR, people, &rows_at, clients, time).await;
    }
}

async fn share_all(store: &Store, client: &Client, keys: &Keys, people: People) {
    let cards: Vec<_> = (1..=SHARED).map(|n| ours::card(&format!("o{n}"))).collect();
    let put = move |tx: &mut Tx<'_>| cards.iter().try_for_each(|card| tx.exchange().put_card(card));
    store.write::<_, StoreError, _>(put).await.unwrap();
    let owners: Vec<i64> =
        (0..people.subscribers).map(|person| keys.of(person).value().cast_signed()).collect();
    client.execute(SHARES, &[&owners, &SHARED]).await.unwrap();
    client.batch_execute(SHARED_ALL).await.unwrap();
}

fn clients_of(count: usize) -> Vec<u64> {
    (0..count as u64).map(|client| client << 32).collect()
}

async fn feeds(store: &Store, keys: &Arc<Keys>, people: People, clients: usize, time: Duration) {
    let (store, keys) = (store.clone(), Arc::clone(keys));
    let feed = move |done: u64| {
        let (store, viewer) = (store.clone(), keys.of(mixed(done) % people.subscribers));
        async move {
            let read = move |friends: &mut FriendsView<'_>| {
                friends.list_feed(viewer, &FeedFilter::default(), FEED as usize)
            };
            std::hint::black_box(store.read_friends::<_, StoreError, _>(read).await.unwrap());
            done + 1
        }
    };
    load::run("ours_feed", clients_of(clients), time, None, feed).await;
}

async fn pairs(store: &Store, keys: &Arc<Keys>, people: People, clients: usize, time: Duration) {
    let (store, keys) = (store.clone(), Arc::clone(keys));
    let pair = move |done: u64| {
        let owner = mixed(done) % people.subscribers;
        let book = people.someone(owner, done);
        let (owner, other): (ContactKey, ContactKey) = (keys.of(owner), keys.of(book));
        let store = store.clone();
        async move {
            let read = move |friends: &mut FriendsView<'_>| friends.find_match(owner, other);
            std::hint::black_box(store.read_friends::<_, StoreError, _>(read).await.unwrap());
            done + 1
        }
    };
    load::run("ours_pair", clients_of(clients), time, None, pair).await;
}
