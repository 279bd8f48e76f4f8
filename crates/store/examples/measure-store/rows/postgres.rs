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

async fn connect(url: &str) -> Client {
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
