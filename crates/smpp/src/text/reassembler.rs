//! Joining the parts of long texts, in any order, with limits.

use std::collections::HashMap;

use super::header::Part;

/// Joins parts into texts. Pure: time is passed in; bounded in texts, in octets and in age.
#[derive(Debug)]
pub struct Reassembler {
    open: HashMap<Key, Open>,
    octets: usize,
    texts_max: usize,
    octets_max: usize,
    age_ms_max: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    source: String,
    destination: String,
    reference: u16,
    total: u8,
}

#[derive(Debug)]
struct Open {
    since_ms: u64,
    data_coding: u8,
    parts: HashMap<u8, Vec<u8>>,
}

/// A text whose parts have all come; read it with [`super::decode`].
#[derive(Clone, PartialEq, Eq)]
pub struct Joined {
    /// data_coding of the part that came first.
    pub data_coding: u8,
    /// The octets of all parts in their order.
    pub octets: Vec<u8>,
}

impl std::fmt::Debug for Joined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Joined({:#04x}, {} octets)", self.data_coding, self.octets.len())
    }
}

impl Default for Reassembler {
    /// 1,000 texts, 4 MiB and an hour: a handset sends its parts within seconds, a centre retries for longer.
    fn default() -> Self {
        Self::new(1_000, 4 << 20, 3_600_000)
    }
}

impl Reassembler {
    /// Makes a reassembler that holds at most so many unfinished texts, octets and milliseconds; what goes
    /// over drops the oldest text.
    #[must_use]
    pub fn new(texts_max: usize, octets_max: usize, age_ms_max: u64) -> Self {
        Self { open: HashMap::new(), octets: 0, texts_max: texts_max.max(1), octets_max, age_ms_max }
    }

    /// How many texts wait for a part.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.open.len()
    }

    /// Takes one part and gives the text once its last part has come. A part that came before changes
    /// nothing; an unsound part (number outside the total) is dropped.
    pub fn accept(
        &mut self,
        now_ms: u64,
        source: &str,
        destination: &str,
        part: Part,
        data_coding: u8,
        octets: &[u8],
    ) -> Option<Joined> {
        if !part.is_sound() {
            return None;
        }
        self.drop_older(now_ms);
        let key = Key {
            source: source.to_owned(),
            destination: destination.to_owned(),
            reference: part.reference,
            total: part.total,
        };
        let open = self.open.entry(key.clone()).or_insert_with(|| Open {
            since_ms: now_ms,
            data_coding,
            parts: HashMap::new(),
        });
        if let std::collections::hash_map::Entry::Vacant(vacant) = open.parts.entry(part.number) {
            vacant.insert(octets.to_vec());
            self.octets += octets.len();
        }
        if open.parts.len() == usize::from(part.total) {
            return self.take(&key).map(|mut open| Joined {
                data_coding: open.data_coding,
                octets: (1..=part.total).filter_map(|number| open.parts.remove(&number)).flatten().collect(),
            });
        }
        while self.open.len() > self.texts_max || (self.octets > self.octets_max && !self.open.is_empty()) {
            self.drop_oldest();
        }
        None
    }

    fn take(&mut self, key: &Key) -> Option<Open> {
        let open = self.open.remove(key)?;
        self.octets -= open.parts.values().map(Vec::len).sum::<usize>().min(self.octets);
        Some(open)
    }

    fn drop_oldest(&mut self) {
        if let Some(key) = self.open.iter().min_by_key(|(_, open)| open.since_ms).map(|(key, _)| key.clone())
        {
            self.take(&key);
        }
    }

    fn drop_older(&mut self, now_ms: u64) {
        let old: Vec<Key> = self
            .open
            .iter()
            .filter(|(_, open)| now_ms.saturating_sub(open.since_ms) > self.age_ms_max)
            .map(|(key, _)| key.clone())
            .collect();
        for key in old {
            self.take(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{decode, segments};
    use proptest::prelude::*;

    fn part(reference: u16, number: u8, total: u8) -> Part {
        Part { reference, total, number }
    }

    #[test]
    fn an_unfinished_text_ages_out() {
        let mut join = Reassembler::new(10, 1000, 100);
        assert_eq!(join.accept(0, "a", "b", part(1, 1, 2), 0, b"x"), None);
        assert_eq!(join.accept(101, "a", "b", part(1, 2, 2), 0, b"y"), None);
        assert_eq!(join.accept(150, "a", "b", part(1, 1, 2), 0, b"x").unwrap().octets, b"xy");
        assert_eq!((join.waiting(), join.octets), (0, 0));
    }

    #[test]
    fn over_the_limit_the_oldest_goes() {
        let mut join = Reassembler::new(2, 1000, 100);
        for reference in 0..3 {
            join.accept(u64::from(reference), "a", "b", part(reference, 1, 2), 0, b"x");
        }
        assert_eq!(join.waiting(), 2);
        assert_eq!(join.accept(4, "a", "b", part(0, 2, 2), 0, b"y"), None);
        let mut join = Reassembler::new(100, 10, 100);
        join.accept(0, "a", "b", part(1, 1, 2), 0, b"0123456");
        join.accept(1, "a", "b", part(2, 1, 2), 0, b"0123456");
        assert_eq!((join.waiting(), join.octets), (1, 7));
    }

    #[test]
    fn other_people_and_other_references_do_not_mix() {
        let mut join = Reassembler::default();
        assert_eq!(join.accept(0, "a", "b", part(1, 1, 2), 0, b"x"), None);
        assert_eq!(join.accept(0, "c", "b", part(1, 2, 2), 0, b"y"), None);
        assert_eq!(join.accept(0, "a", "b", part(2, 2, 2), 0, b"y"), None);
        assert_eq!(join.accept(0, "a", "b", part(1, 3, 2), 0, b"y"), None, "unsound");
        assert!(join.accept(0, "a", "b", part(1, 2, 2), 0, b"y").is_some());
    }

    proptest! {
        #[test]
        fn parts_in_any_order_and_twice_join_once(
            text in "[\u{4e00}-\u{9fff}a-z😀]{80,500}",
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        ) {
            let parts = segments(&text, 9);
            let mut sequence: Vec<usize> = order.iter().map(|index| index.index(parts.len())).collect();
            sequence.extend(0..parts.len());
            let mut join = Reassembler::default();
            let mut joined = None;
            for index in sequence {
                let segment = &parts[index];
                joined = join.accept(0, "a", "b", segment.part.unwrap(), segment.data_coding, &segment.octets);
                if joined.is_some() { break; }
            }
            let joined = joined.unwrap();
            prop_assert_eq!(decode(joined.data_coding, &joined.octets).unwrap(), text);
            prop_assert_eq!(join.octets, 0);
        }
    }
}
