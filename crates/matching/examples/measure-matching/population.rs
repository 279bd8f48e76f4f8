//! Generated people and their books.

use matching::bulk::{Edge, EdgeSource};
use std::io::Write;

/// SplitMix64 (Steele, Lea and Flood, 2014): small, seeded, the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A normal deviate, near enough: twelve uniform ones.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// Mean book; the median of 120 and this mean make the deviation of the logarithm.
const MEAN: f64 = 180.0;
const MEDIAN: f64 = 120.0;
const CAP: u64 = 2_000;
const REGISTERED: f64 = 0.45;
const MUTUAL: f64 = 0.47;
const COMMUNITY: u64 = 1_000;

/// Subscribers 0, 1, 2 … and their books; contacts beyond them are not registered.
pub(crate) struct Population {
    pub(crate) books: Vec<Vec<u32>>,
}

impl Population {
    pub(crate) fn generate(edges: u64, seed: u64) -> Self {
        let mut random = Random(seed);
        let people = (edges as f64 / MEAN).max(10.0) as u64;
        let deviation = (2.0 * (MEAN / MEDIAN).ln()).sqrt();
        let size =
            |random: &mut Random| ((MEDIAN * (deviation * random.normal()).exp()) as u64).clamp(1, CAP);
        let mut books: Vec<Vec<u32>> = Vec::with_capacity(people as usize);
        let sizes: Vec<u32> = (0..people).map(|_| size(&mut random) as u32).collect();
        books.extend(sizes.iter().map(|&size| Vec::with_capacity(size as usize + size as usize / 4)));
        for owner in 0..people {
            let size = f64::from(sizes[owner as usize]);
            let friends = (size * REGISTERED * MUTUAL / 2.0 + random.unit()) as u64;
            for _ in 0..friends {
                let friend = acquaintance(&mut random, owner, people);
                books[owner as usize].push(friend as u32);
                books[friend as usize].push(owner as u32);
            }
            let known = (size * REGISTERED * (1.0 - MUTUAL) + random.unit()) as u64;
            for _ in 0..known {
                let other = acquaintance(&mut random, owner, people);
                books[owner as usize].push(other as u32);
            }
            for _ in 0..(size * (1.0 - REGISTERED)) as u64 {
                // Three times as many people are not registered.
                books[owner as usize].push((people + random.below(3 * people)) as u32);
            }
        }
        for book in &mut books {
            book.sort_unstable();
            book.dedup();
        }
        Self { books }
    }

    pub(crate) fn edge_count(&self) -> usize {
        self.books.iter().map(Vec::len).sum()
    }

    /// Writes all entries to a file, two little-endian keys each.
    pub(crate) fn dump(&self, path: &str) -> std::io::Result<()> {
        let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
        for edge in self.edges() {
            file.write_all(&edge.owner.to_le_bytes())?;
            file.write_all(&edge.contact.to_le_bytes())?;
        }
        file.flush()
    }

    /// All entries, book after book, as keys.
    pub(crate) fn edges(&self) -> impl Iterator<Item = Edge> {
        (0u32..).zip(&self.books).flat_map(|(owner, book)| {
            let owner = key(owner);
            book.iter().map(move |&contact| Edge { owner, contact: key(contact) })
        })
    }
}

/// Owners of a part: some 180,000 edges.
const PART: usize = 1_000;

/// Edges as they are asked for: written down, those of five million subscribers would take 14 GB.
impl EdgeSource for Population {
    fn parts(&self) -> usize {
        self.books.len().div_ceil(PART)
    }

    fn read_part(&self, part: usize, take: &mut dyn FnMut(&[Edge])) {
        let first = part * PART;
        let mut edges = Vec::new();
        for (owner, book) in self.books.iter().enumerate().skip(first).take(PART) {
            edges.clear();
            let owner = key(owner as u32);
            edges.extend(book.iter().map(|&contact| Edge { owner, contact: key(contact) }));
            take(&edges);
        }
    }
}

fn acquaintance(random: &mut Random, owner: u64, people: u64) -> u64 {
    if random.below(5) < 4 {
        let start = owner - owner % COMMUNITY;
        start + random.below(COMMUNITY.min(people - start))
    } else {
        random.below(people)
    }
}

/// The key of a person: a bijection of 34 bits, as the home plan's keys are.
pub(crate) fn key(person: u32) -> u64 {
    const MASK: u64 = (1 << 34) - 1;
    let mut key = u64::from(person);
    for multiplier in [0x9E37_79B9_7F4A_7C15u64, 0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB] {
        key = key.wrapping_mul(multiplier) & MASK;
        key ^= key >> 17;
    }
    key
}
