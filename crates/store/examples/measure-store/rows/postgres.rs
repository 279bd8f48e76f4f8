//! PostgreSQL, a connection a client, every commit durable.

use std::pin::pin;
use std::time::Duration;

use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, Statement};

use super::change;
use crate::load;
use crate::people::People;

const INDEXED: &str = "
    ALTER TABLE edge ADD PRIMARY KEY (owner, contact);
    CREATE TABLE matched AS SELECT a.owner, a.contact AS friend
      FROM edge a JOIN edge b ON b.owner = a.contact AND b.contact = a.owner;
    ALTER TABLE matched ADD PRIMARY KEY (owner, friend);
    ANALYZE; CHECKPOINT;";

/// One statement an upload would be best; a data-modifying part does not see what another has written, and need not.
const UPLOAD: &str = "
    WITH gone AS (DELETE FROM edge WHERE owner = $1 AND contact = ANY($2)),
         parted AS (DELETE FROM matched WHERE owner = $1 AND friend = ANY($2)),
         parted_back AS (DELETE FROM matched WHERE friend = $1 AND owner = ANY($2)),
         come AS (INSERT INTO edge SELECT $1, unnest($3::BIGINT[]) ON CONFLICT DO NOTHING),
         listed AS (SELECT owner FROM edge WHERE owner = ANY($3) AND contact = $1)
    INSERT INTO matched SELECT $1, owner FROM listed UNION ALL SELECT owner, $1 FROM listed ON CONFLICT DO NOTHING";

/// A connection, the books that it uploads, and how often it has.
struct Uploader {
    client: Client,
    upload: Statement,
    books: Vec<(u64, Vec<u64>)>,
    number: u64,
    done: u64,
}

pub(crate) async fn measure(people: People, url: &str, clients: usize, time: Duration) {
    let client = connect(url).await;
    fill(&client, people).await;
    let each = people.subscribers / clients as u64;
    let mut uploaders = Vec::new();
    for number in 0..clients as u64 {
        let client = connect(url).await;
        let types = [Type::INT8, Type::INT8_ARRAY, Type::INT8_ARRAY];
        let upload = client.prepare_typed(UPLOAD, &types).await.unwrap();
        // Each connection has owners of its own, so that no two change one book.
        let owners = number * each..number * each + each.min(200);
        let books = owners.map(|owner| (owner, people.book(owner))).collect();
        uploaders.push(Uploader { client, upload, books, number, done: 0 });
    }
    let operate = move |uploader: Uploader| upload(people, uploader);
    load::run("postgres_upload", uploaders, time, None, operate).await;
    let version = client.query_one("SHOW server_version", &[]).await.unwrap();
    println!("{{\"what\":\"postgres_version\",\"version\":{:?}}}", version.get::<_, String>(0));
}

async fn upload(people: People, mut uploader: Uploader) -> Uploader {
    let place = (uploader.done % uploader.books.len() as u64) as usize;
    let (owner, book) = &mut uploader.books[place];
    let (gone, come) = change(people, *owner, book, uploader.number << 32 | uploader.done);
    let owner = *owner as i64;
    // Two uploads may each wait for a match of the other; the one that the server gives up is done again.
    while let Err(error) = uploader.client.execute(&uploader.upload, &[&owner, &gone, &come]).await {
        assert_eq!(error.code(), Some(&SqlState::T_R_DEADLOCK_DETECTED), "{error}");
    }
    uploader.done += 1;
    uploader
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn fill(client: &Client, people: People) {
    client.batch_execute("CREATE TABLE edge (owner BIGINT NOT NULL, contact BIGINT NOT NULL)").await.unwrap();
    let sink = client.copy_in("COPY edge FROM STDIN BINARY").await.unwrap();
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &[Type::INT8, Type::INT8]));
    for owner in 0..people.subscribers {
        for contact in people.book(owner) {
            writer.as_mut().write(&[&(owner as i64), &(contact as i64)]).await.unwrap();
        }
    }
    writer.finish().await.unwrap();
    client.batch_execute(INDEXED).await.unwrap();
}

/// Every edge written anew, as whoever is sent a whole book does first.
pub(crate) const ANEW: &str = "
    WITH gone AS (DELETE FROM edge WHERE owner = $1 AND NOT contact = ANY($2) RETURNING 1),
         same AS (UPDATE edge SET since = since + 1 WHERE owner = $1 AND contact = ANY($2) RETURNING 1)
    INSERT INTO edge SELECT $1, unnest($2::BIGINT[]), 0 ON CONFLICT DO NOTHING";

/// Only what changed is written.
pub(crate) const CHANGES: &str = "
    WITH gone AS (DELETE FROM edge WHERE owner = $1 AND NOT contact = ANY($2) RETURNING 1)
    INSERT INTO edge SELECT $1, unnest($2::BIGINT[]), 0 ON CONFLICT DO NOTHING";

/// What the matches of `$1` share; `$2` is there for both reads to be asked alike.
pub(crate) const FEED: &str = "
    SELECT s.no, s.owner, s.since, o.body,
      (SELECT COUNT(*) FROM subscription m WHERE m.owner = $1 AND m.offering = u.offering)
    FROM edge e
    JOIN edge b ON b.owner = e.contact AND b.contact = e.owner
    JOIN share s ON s.owner = e.contact
    JOIN subscription u ON u.id = s.subscription
    JOIN offering o ON o.id = u.offering
    WHERE e.owner = $1 AND $2 >= 0 AND u.status = 'active' ORDER BY s.no DESC LIMIT 500";

/// Whether two list each other.
pub(crate) const PAIR: &str = "SELECT 1 WHERE EXISTS (SELECT 1 FROM edge WHERE owner = $1 AND contact = $2)
    AND EXISTS (SELECT 1 FROM edge WHERE owner = $2 AND contact = $1)";

/// Everybody's edges, services and shares.
pub(crate) async fn fill_all(client: &Client, people: People) {
    let begun = std::time::Instant::now();
    client
        .batch_execute(
            "CREATE TABLE edge (owner BIGINT NOT NULL, contact BIGINT NOT NULL, since BIGINT NOT NULL);
             CREATE TABLE offering (id TEXT PRIMARY KEY, body TEXT NOT NULL);
             CREATE TABLE subscription (id BIGINT PRIMARY KEY, owner BIGINT NOT NULL, offering TEXT NOT NULL,
               status TEXT NOT NULL);
             CREATE TABLE share (no BIGINT PRIMARY KEY, subscription BIGINT NOT NULL, owner BIGINT NOT NULL,
               since BIGINT NOT NULL)",
        )
        .await
        .unwrap();
    let sink = client.copy_in("COPY edge FROM STDIN BINARY").await.unwrap();
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &[Type::INT8, Type::INT8, Type::INT8]));
    for owner in 0..people.subscribers {
        for contact in people.book(owner) {
            writer.as_mut().write(&[&(owner as i64), &(contact as i64), &0_i64]).await.unwrap();
        }
    }
    writer.finish().await.unwrap();
    let (all, body) = (people.subscribers as i64, serde_json::to_string(&crate::ours::card("o1")).unwrap());
    client.batch_execute("ALTER TABLE edge ADD PRIMARY KEY (owner, contact)").await.unwrap();
    client
        .execute("INSERT INTO offering SELECT 'o' || n, $1 FROM generate_series(1, 3) n", &[&body])
        .await
        .unwrap();
    client
        .execute(
            "INSERT INTO subscription SELECT p * 3 + n, p, 'o' || n, 'active'
             FROM generate_series(0, $1::BIGINT - 1) p, generate_series(1, 3) n",
            &[&all],
        )
        .await
        .unwrap();
    client
        .batch_execute(
            "INSERT INTO share SELECT id, id, owner, 0 FROM subscription;
             CREATE INDEX ON subscription (owner, offering); CREATE INDEX ON share (owner)",
        )
        .await
        .unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    println!("{{\"what\":\"rows_filled\",\"subscribers\":{},\"seconds\":{seconds:.1}}}", people.subscribers);
}

/// Uploads of whole books of which five contacts are others, each durable.
pub(crate) async fn uploads(
    what: &str,
    statement: &str,
    people: People,
    url: &str,
    clients: usize,
    time: Duration,
    round: u64,
) {
    let each = people.subscribers / clients as u64;
    let mut uploaders = Vec::new();
    for number in 0..clients as u64 {
        let client = connect(url).await;
        let upload = client.prepare_typed(statement, &[Type::INT8, Type::INT8_ARRAY]).await.unwrap();
        let books = (number * each..number * each + each.min(200)).map(|owner| (owner, people.book(owner)));
        let number = round << 16 | number;
        uploaders.push(Uploader { client, upload, books: books.collect(), number, done: 0 });
    }
    let operate = move |mut uploader: Uploader| async move {
        let place = (uploader.done % uploader.books.len() as u64) as usize;
        let (owner, book) = &mut uploader.books[place];
        people.change(*owner, book, uploader.number << 32 | uploader.done);
        let (owner, book): (i64, Vec<i64>) = (*owner as i64, book.iter().map(|one| *one as i64).collect());
        uploader.client.execute(&uploader.upload, &[&owner, &book]).await.unwrap();
        uploader.done += 1;
        uploader
    };
    load::run(what, uploaders, time, None, operate).await;
}

/// Reads about somebody and somebody in their book, a connection a client.
pub(crate) async fn reads(
    what: &str,
    statement: &str,
    people: People,
    url: &str,
    clients: usize,
    time: Duration,
) {
    let mut readers = Vec::new();
    for number in 0..clients as u64 {
        let client = connect(url).await;
        let read = client.prepare_typed(statement, &[Type::INT8, Type::INT8]).await.unwrap();
        readers.push((client, read, number << 32));
    }
    let operate = move |(client, read, done): (Client, Statement, u64)| async move {
        let owner = crate::people::mixed(done) % people.subscribers;
        let (owner, other) = (owner as i64, people.someone(owner, done) as i64);
        std::hint::black_box(client.query(&read, &[&owner, &other]).await.unwrap());
        (client, read, done + 1)
    };
    load::run(what, readers, time, None, operate).await;
}
