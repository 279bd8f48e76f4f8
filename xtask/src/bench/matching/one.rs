//! One subscriber at a time: in memory, at the store, and at the tables that people would use instead.

use std::path::Path;

use serde_json::Value;

use super::Options;
use super::place::Place;
use crate::postgres::Cluster;
use crate::run::{self, Failed};

/// People whose books and uploads are compared with those of a row per edge: ten million rows.
const COMPARED_PEOPLE: u64 = 50_000;

/// A mean book, as generated.
const MEAN_BOOK: u64 = 180;

/// Runs a program and takes its figures; each gets the number of people it is of.
fn figures(program: &Path, arguments: &[&str], people: u64) -> Result<Vec<Value>, Failed> {
    println!("{people} subscribers: {}", arguments.join(" "));
    let text = run::program(program, arguments).read()?;
    let mut figures: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    figures.iter_mut().filter_map(Value::as_object_mut).for_each(|figure| {
        figure.insert("subscribers".into(), people.into());
    });
    Ok(figures)
}

/// Reads, uploads and books at rest, in memory.
pub(super) fn in_memory(place: &Place, options: &Options) -> Result<Vec<Value>, Failed> {
    in_memory_of(place, 100_000, options)
}

fn in_memory_of(place: &Place, people: u64, options: &Options) -> Result<Vec<Value>, Failed> {
    let (edges, threads) = ((people * MEAN_BOOK).to_string(), options.threads.to_string());
    let arguments = ["--edges", &edges, "--threads", &threads, "--only", "one_"];
    figures(&place.matching, &arguments, people)
}

fn at_store(place: &Place, people: u64, options: &Options) -> Result<Vec<Value>, Failed> {
    let (count, seconds) = (people.to_string(), options.seconds.to_string());
    let arguments = ["ours", "--subscribers", &count, "--clients", "64", "--seconds", &seconds];
    figures(&place.store, &arguments, people)
}

/// Durable uploads: at our store, and where each edge is a row.
pub(super) fn uploads(place: &Place, options: &Options) -> Result<Vec<Value>, Failed> {
    let people = options.people.unwrap_or(COMPARED_PEOPLE);
    let (count, seconds) = (people.to_string(), options.seconds.to_string());
    let shared = ["--subscribers", &count, "--seconds", &seconds];
    let mut all = at_store(place, people, options)?;
    {
        let cluster = Cluster::start_durable()?;
        let url = format!("{}/postgres", cluster.url());
        let arguments = [&["postgres", "--url", &url, "--clients", "32"], &shared[..]].concat();
        all.extend(figures(&place.store, &arguments, people)?);
    }
    all.extend(figures(&place.store, &[&["sqlite"], &shared[..]].concat(), people)?);
    Ok(all)
}

/// The same figures from ten thousand subscribers to five million, and at the store as far as time allows.
pub(super) fn flat(place: &Place, options: &Options) -> Result<Vec<Value>, Failed> {
    let mut all = Vec::new();
    let largest = options.people.unwrap_or(5_000_000);
    for people in [10_000, 100_000, 1_000_000, 5_000_000].into_iter().filter(|people| *people <= largest) {
        all.extend(in_memory_of(place, people, options)?);
    }
    let at_store_largest = if options.large { 1_000_000 } else { 100_000 };
    let at_store_largest = largest.min(at_store_largest);
    for people in [10_000, 100_000, 1_000_000].into_iter().filter(|people| *people <= at_store_largest) {
        all.extend(at_store(place, people, options)?);
    }
    Ok(all)
}
