//! SQLite in process, one writer, write-ahead log, `synchronous=FULL`, as our own store has it.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::change;
use crate::load;
use crate::people::People;

const TABLES: &str = "
    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -262144;
    CREATE TABLE edge (owner INTEGER, contact INTEGER, PRIMARY KEY (owner, contact)) WITHOUT ROWID;
    CREATE TABLE matched (owner INTEGER, friend INTEGER, PRIMARY KEY (owner, friend)) WITHOUT ROWID;";

pub(crate) fn measure(people: People, time: Duration) {
    let directory = tempfile::tempdir().unwrap();
    let mut database = Connection::open(directory.path().join("rows.db")).unwrap();
    database.execute_batch(TABLES).unwrap();
    fill(&mut database, people);
    let begun = Instant::now();
    let mut latencies = Vec::new();
    while begun.elapsed() < time {
        let number = latencies.len() as u64;
        let owner = number * 7_919 % people.subscribers;
        let mut book = people.book(owner);
        let (gone, come) = change(people, owner, &mut book, number);
        let start = Instant::now();
        upload(&mut database, owner as i64, &gone, &come);
        latencies.push(start.elapsed().as_secs_f64() * 1e3);
    }
    // Books are made up between uploads; that time is not theirs.
    let seconds = latencies.iter().sum::<f64>() / 1e3;
    println!("{{\"what\":\"sqlite_version\",\"version\":{:?}}}", rusqlite::version());
    load::report("sqlite_upload", 1, latencies.len() as f64 / seconds, latencies);
}

fn fill(database: &mut Connection, people: People) {
    let tx = database.transaction().unwrap();
    {
        let mut edge = tx.prepare("INSERT INTO edge VALUES (?1, ?2)").unwrap();
        for owner in 0..people.subscribers {
            for contact in people.book(owner) {
                edge.execute((owner as i64, contact as i64)).unwrap();
            }
        }
    }
    tx.execute_batch(
        "INSERT INTO matched SELECT a.owner, a.contact FROM edge a JOIN edge b ON b.owner = a.contact AND b.contact = a.owner",
    )
    .unwrap();
    tx.commit().unwrap();
}

fn upload(database: &mut Connection, owner: i64, gone: &[i64], come: &[i64]) {
    let tx = database.transaction().unwrap();
    for contact in gone {
        for sql in [
            "DELETE FROM edge WHERE owner = ?1 AND contact = ?2",
            "DELETE FROM matched WHERE owner = ?1 AND friend = ?2",
            "DELETE FROM matched WHERE owner = ?2 AND friend = ?1",
        ] {
            tx.prepare_cached(sql).unwrap().execute((owner, contact)).unwrap();
        }
    }
    for contact in come {
        tx.prepare_cached("INSERT OR IGNORE INTO edge VALUES (?1, ?2)")
            .unwrap()
            .execute((owner, contact))
            .unwrap();
        let listed = "SELECT EXISTS (SELECT 1 FROM edge WHERE owner = ?2 AND contact = ?1)";
        if tx.prepare_cached(listed).unwrap().query_row((owner, contact), |row| row.get(0)).unwrap() {
            let mut insert = tx.prepare_cached("INSERT OR IGNORE INTO matched VALUES (?1, ?2)").unwrap();
            insert.execute((owner, contact)).unwrap();
            insert.execute((contact, owner)).unwrap();
        }
    }
    tx.commit().unwrap();
}
