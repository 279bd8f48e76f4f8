//! One subscriber at a time: books at rest, reads and uploads.

use crate::population::{Population, Random, key};
use crate::{memory, wanted};
use matching::book;
use matching::bulk::match_edges;
use matching::resident::Resident;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::time::Instant;

/// Runs for nine rounds of so many operations and prints the median of their means.
fn measure(what: &str, operations: usize, note: &str, mut operate: impl FnMut()) {
    let mut means: Vec<f64> = (0..9)
        .map(|_| {
            let start = Instant::now();
            (0..operations).for_each(|_| operate());
            start.elapsed().as_nanos() as f64 / operations as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    println!(
        "{{\"what\":\"{what}\",\"ns_per_operation\":{:.0},\"ns_least\":{:.0}{note}}}",
        means[4], means[0]
    );
}

fn sorted_keys(people: &[u32]) -> Vec<u64> {
    let mut keys: Vec<u64> = people.iter().map(|&person| key(person)).collect();
    keys.sort_unstable();
    keys
}

/// Books compressed, resident matches built from them, then reads and uploads at random.
pub(crate) fn books_and_uploads(population: &Population, threads: NonZeroUsize) {
    if !wanted("one_") {
        return;
    }
    let people = population.books.len();
    let mut blobs: Vec<Vec<u8>> = Vec::with_capacity(people);
    let start = Instant::now();
    blobs.extend(population.books.iter().map(|people| book::encode(&sorted_keys(people))));
    let seconds = start.elapsed().as_secs_f64();
    let bytes: usize = blobs.iter().map(Vec::len).sum();
    let a_contact = bytes as f64 / population.edge_count() as f64;
    println!(
        "{{\"what\":\"one_book_at_rest\",\"bytes_per_contact\":{a_contact:.2},\"encode_all_seconds\":{seconds:.2}}}"
    );
    let mut resident = build(population, threads);
    reads(&resident, people);
    books(&blobs);
    uploads(&mut resident, &mut blobs);
}

fn build(population: &Population, threads: NonZeroUsize) -> Resident {
    let pairs = Mutex::new(Vec::new());
    match_edges(population, threads, &|some: &[(u64, u64)]| pairs.lock().unwrap().extend_from_slice(some));
    let pairs = pairs.into_inner().unwrap();
    let start = Instant::now();
    let people = population.books.len();
    let count = pairs.len();
    let resident = Resident::build((0..people as u32).map(key), pairs.iter().copied()).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    // The first copy takes up what was freed while building, so that the second one shows what it costs.
    let filler = resident.clone();
    let before = memory("VmRSS");
    let copy = resident.clone();
    let after = memory("VmRSS");
    drop((filler, copy));
    let beside_pairs = |bytes: u64| (bytes as f64 - 8.0 * count as f64) / people as f64;
    println!(
        "{{\"what\":\"one_resident\",\"subscribers\":{people},\"mutual_pairs\":{count},\"build_seconds\":{seconds:.2},\
         \"bytes_per_subscriber_beside_8_per_pair\":{:.1},\"of_which_asked_for\":{:.1}}}",
        beside_pairs(after.saturating_sub(before)),
        beside_pairs(resident.heap_bytes() as u64)
    );
    resident
}

fn reads(resident: &Resident, people: usize) {
    let mut random = Random(3);
    let mut anyone = || key(random.below(people as u64) as u32);
    let mut matches = Vec::new();
    let crowd: Vec<u64> = (0..200_000)
        .map(|_| anyone())
        .filter(|&one| resident.matches_of(one).is_some_and(|matches| (80..100).contains(&matches.len())))
        .collect();
    let mut next = crowd.iter().cycle();
    measure("one_matches_of_80_to_100", 20_000, "", || {
        matches.clear();
        matches.extend(resident.matches_of(*next.next().unwrap()).into_iter().flatten());
        black_box(&matches);
    });
    let pairs: Vec<(u64, u64)> = (0..200_000)
        .map(|at| {
            let a = anyone();
            let friend = resident.matches_of(a).and_then(|mut matches| matches.next());
            (a, friend.filter(|_| at % 2 == 0).unwrap_or_else(&mut anyone))
        })
        .collect();
    let mut next = pairs.iter().cycle();
    let mut found = 0u64;
    measure("one_is_match_half_of_them", 100_000, "", || {
        let &(a, b) = next.next().unwrap();
        found += u64::from(resident.is_match(a, b));
    });
    black_box(found);
}

fn books(blobs: &[Vec<u8>]) {
    let mut random = Random(4);
    let picked: Vec<&Vec<u8>> = blobs.iter().filter(|blob| (600..800).contains(&blob.len())).collect();
    let mut any = || picked[random.below(picked.len() as u64) as usize];
    measure("one_decode_of_about_200", 20_000, "", || {
        black_box(book::decode(any()).unwrap());
    });
    let mut random = Random(5);
    measure("one_contains_of_about_200", 100_000, "", || {
        let blob = picked[random.below(picked.len() as u64) as usize];
        black_box(book::contains(blob, random.next() >> 30).unwrap());
    });
}

/// Uploads of about 200 contacts of which five come and five go: the old book decoded, compared, the added ones
/// probed in their owners' books, matches changed and the new book encoded.
fn uploads(resident: &mut Resident, blobs: &mut [Vec<u8>]) {
    let mut random = Random(6);
    let people = blobs.len() as u64;
    let empty = book::encode(&[]);
    let owners: Vec<u32> =
        (0..people as u32).filter(|&owner| (640..760).contains(&blobs[owner as usize].len())).collect();
    let uploads: Vec<(u64, usize, Vec<u64>)> = (0..18_000)
        .map(|_| {
            let owner = owners[random.below(owners.len() as u64) as usize];
            let mut keys = book::decode(&blobs[owner as usize]).unwrap();
            for _ in 0..5 {
                keys.remove(random.below(keys.len() as u64) as usize);
                keys.push(key(random.below(2 * people) as u32));
            }
            keys.sort_unstable();
            keys.dedup();
            (key(owner), resident.id_of(key(owner)).unwrap() as usize, keys)
        })
        .collect();
    let mut next = uploads.iter().cycle();
    let mut changed = 0;
    measure("one_upload_of_200_ten_changed", 2_000, "", || {
        let (owner, id, new) = next.next().unwrap();
        let old = book::decode(&blobs[*id]).unwrap();
        let diff = book::diff(&old, new);
        let ids: Vec<Option<u32>> = diff.added.iter().map(|&key| resident.id_of(key)).collect();
        let mut probes = ids.iter();
        let probe = |_| {
            let blob = probes.next().copied().flatten().and_then(|id| blobs.get(id as usize));
            book::contains(blob.unwrap_or(&empty), *owner).unwrap()
        };
        let changes = resident.apply_upload(*owner, &diff.added, &diff.removed, probe).unwrap();
        changed += changes.connected.len() + changes.disconnected.len();
        blobs[*id] = book::encode(new);
    });
    black_box(changed);
}
