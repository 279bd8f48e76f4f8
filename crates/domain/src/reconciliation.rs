//! Compares our charge events with the charging system's own record of what it did.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::Msisdn;
use crate::charging::ChargeEvent;

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It was handed over and taken, and is not in the record.
    Missing,
    /// It is in the record more than once.
    Doubled,
    /// It is in the record and no event of ours.
    Unknown,
    /// It is in the record with something else than it says here.
    Differs,
    /// It stands in the record after a later event of the same payer.
    OutOfOrder,
    /// A line of the record is no charge event.
    Unreadable,
}

/// One difference. Names no number: the id, or the line, says where to look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// What differs.
    pub what: What,
    /// The event's id.
    pub event: Option<Uuid>,
    /// The line of the record, counted from 1.
    pub line: Option<usize>,
    /// The members that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<&'static str>,
}

/// What a comparison came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Our events that were compared.
    pub events: usize,
    /// Lines of the record that were compared.
    pub lines: usize,
    /// Our events not yet taken by the charging system, and not in its record.
    pub waiting: usize,
    /// How many differences there are; the list may be cut.
    pub differences_total: usize,
    /// The differences, by kind and place.
    pub differences: Vec<Difference>,
}

/// A comparison under way: made of the record, then told each of our events once.
pub struct Reconciliation {
    lines: Vec<Option<ChargeEvent>>,
    places: HashMap<Uuid, Vec<usize>>,
    /// Of each event of ours in the record: its payer and its place among the payer's events.
    known: HashMap<Uuid, (Msisdn, i64)>,
    within: Option<Range<Timestamp>>,
    events: usize,
    waiting: usize,
    differences: Vec<Difference>,
}

impl Reconciliation {
    /// Begins with the charging system's record in the order in which it acted; `None` is a line that
    /// is no charge event.
    pub fn new(record: Vec<Option<ChargeEvent>>) -> Self {
        let mut places: HashMap<Uuid, Vec<usize>> = HashMap::new();
        for (index, line) in record.iter().enumerate() {
            if let Some(event) = line {
                places.entry(event.id).or_default().push(index);
            }
        }
        let (known, differences) = (HashMap::new(), Vec::new());
        Self { lines: record, places, known, within: None, events: 0, waiting: 0, differences }
    }

    /// Compares only what was caused within a time, here or as the record says: a record of one day has no
    /// event of another, and one that reaches further is not blamed for it.
    #[must_use]
    pub fn within(self, time: Range<Timestamp>) -> Self {
        Self { within: Some(time), ..self }
    }

    fn covers(&self, event: &ChargeEvent) -> bool {
        self.within.as_ref().is_none_or(|time| time.contains(&event.at))
    }

    /// Compares one of our events; `taken` says whether the charging system has acknowledged it.
    pub fn compare(&mut self, ours: &ChargeEvent, taken: bool) {
        let mut lines = self.places.get(&ours.id).into_iter().flatten().map(|index| &self.lines[*index]);
        if !self.covers(ours) && !lines.any(|line| line.as_ref().is_some_and(|line| self.covers(line))) {
            // Known, so that its line is nobody's mistake.
            self.known.insert(ours.id, (ours.number, ours.payer_no));
            return;
        }
        self.events += 1;
        let Some(places) = self.places.get(&ours.id) else {
            if taken {
                self.differences.push(difference(What::Missing, Some(ours.id), None));
            } else {
                self.waiting += 1;
            }
            return;
        };
        self.known.insert(ours.id, (ours.number, ours.payer_no));
        for index in places {
            let fields = self.lines[*index].as_ref().map_or(Vec::new(), |theirs| differing(ours, theirs));
            if !fields.is_empty() {
                let found = difference(What::Differs, Some(ours.id), Some(*index));
                self.differences.push(Difference { fields, ..found });
            }
        }
        // Every copy after the first is one too many.
        let copies = places.iter().skip(1);
        self.differences.extend(copies.map(|index| difference(What::Doubled, Some(ours.id), Some(*index))));
    }

    /// Ends the comparison; at most `shown_max` differences are listed, all are counted.
    pub fn finish(mut self, shown_max: usize) -> Report {
        let mut latest: BTreeMap<Msisdn, i64> = BTreeMap::new();
        for (index, line) in self.lines.iter().enumerate() {
            let Some(event) = line else {
                self.differences.push(difference(What::Unreadable, None, Some(index)));
                continue;
            };
            let covered = self.covers(event);
            let Some((payer, number)) = self.known.get(&event.id) else {
                if !covered {
                    continue;
                }
                self.differences.push(difference(What::Unknown, Some(event.id), Some(index)));
                continue;
            };
            if self.places.get(&event.id).and_then(|places| places.first()) != Some(&index) {
                continue;
            }
            let latest = latest.entry(*payer).or_insert(i64::MIN);
            if covered && *number < *latest {
                self.differences.push(difference(What::OutOfOrder, Some(event.id), Some(index)));
            }
            *latest = (*latest).max(*number);
        }
        let lines =
            self.lines.iter().filter(|line| line.as_ref().is_none_or(|line| self.covers(line))).count();
        self.differences.sort_unstable();
        let differences_total = self.differences.len();
        self.differences.truncate(shown_max);
        Report {
            events: self.events,
            lines,
            waiting: self.waiting,
            differences_total,
            differences: self.differences,
        }
    }
}

fn difference(what: What, event: Option<Uuid>, index: Option<usize>) -> Difference {
    Difference { what, event, line: index.map(|index| index + 1), fields: Vec::new() }
}

fn differing(ours: &ChargeEvent, theirs: &ChargeEvent) -> Vec<&'static str> {
    let pairs = [
        ("number", ours.number == theirs.number),
        ("payer_no", ours.payer_no == theirs.payer_no),
        ("kind", ours.kind == theirs.kind),
        ("product", ours.product == theirs.product),
        ("offering", ours.offering == theirs.offering),
        ("period_no", ours.period_no == theirs.period_no),
        ("amount", ours.money == theirs.money),
        ("at", ours.at == theirs.at),
        ("reverses", ours.reverses == theirs.reverses),
    ];
    pairs.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::catalogue::OfferingId;
    use crate::charging::ChargeKind;
    use crate::ids::ProductId;
    use crate::money::Money;

    /// Events of some payers, interleaved, each payer's in order.
    fn events(count: usize, payers: usize) -> Vec<ChargeEvent> {
        let mut next = vec![0; payers];
        (0..count)
            .map(|index| {
                let payer = (index * 7 + index / 3) % payers;
                next[payer] += 1;
                ChargeEvent {
                    id: Uuid::from_u128(1 + index as u128),
                    number: Msisdn::parse_digits(&format!("86138{payer:08}")).unwrap(),
                    payer_no: next[payer],
                    kind: ChargeKind::Renewal,
                    product: ProductId(Uuid::from_u128(9)),
                    offering: OfferingId::parse("crbt").unwrap(),
                    period_no: next[payer],
                    money: Money::parse("5.00", "CNY").unwrap(),
                    at: Timestamp::UNIX_EPOCH,
                    reverses: None,
                }
            })
            .collect()
    }

    /// The same, an hour apart.
    fn over_days(count: usize) -> Vec<ChargeEvent> {
        let hour = |index: usize| Timestamp::from_second(3_600 * index as i64).unwrap();
        events(count, 4)
            .into_iter()
            .enumerate()
            .map(|(index, event)| ChargeEvent { at: hour(index), ..event })
            .collect()
    }

    fn report_within(ours: &[ChargeEvent], record: &[ChargeEvent], hours: Range<i64>) -> Report {
        let hour = |hour: i64| Timestamp::from_second(3_600 * hour).unwrap();
        let record = record.iter().cloned().map(Some).collect();
        let mut comparison = Reconciliation::new(record).within(hour(hours.start)..hour(hours.end));
        ours.iter().for_each(|event| comparison.compare(event, true));
        comparison.finish(usize::MAX)
    }

    #[test]
    fn a_days_record_is_compared_with_that_day_alone() {
        let ours = over_days(72);
        for record in [&ours[24..48], &ours[..]] {
            let report = report_within(&ours, record, 24..48);
            assert_eq!((report.events, report.lines, report.differences_total), (24, 24, 0), "{report:?}");
        }
        let whats = |record: &[ChargeEvent]| {
            let report = report_within(&ours, record, 24..48);
            report.differences.iter().map(|one| one.what).collect::<Vec<_>>()
        };
        assert_eq!(whats(&ours[25..48]), [What::Missing]);
        assert_eq!(whats(&[&ours[24..48], &ours[30..31]].concat()), [What::Doubled]);
        // What is missing or too much on another day is another day's matter.
        assert_eq!(whats(&[&ours[24..48], &ours[2..3], &ours[2..3]].concat()), []);
        // An event that the record has on another day, or of another day on this one, is not passed over.
        for (index, at) in [(30, 60), (60, 30)] {
            let mut moved = ours.clone();
            moved[index].at = Timestamp::from_second(3_600 * at).unwrap();
            assert_eq!(whats(&moved), [What::Differs], "{index}");
        }
        let stranger = |at: i64| ChargeEvent {
            id: Uuid::from_u128(999),
            at: Timestamp::from_second(3_600 * at).unwrap(),
            ..ours[0].clone()
        };
        assert_eq!(whats(&[&ours[24..48], &[stranger(30)]].concat()), [What::Unknown]);
        assert_eq!(whats(&[&ours[24..48], &[stranger(60)]].concat()), []);
    }

    fn report(ours: &[ChargeEvent], record: Vec<Option<ChargeEvent>>) -> Report {
        let mut comparison = Reconciliation::new(record);
        ours.iter().for_each(|event| comparison.compare(event, true));
        comparison.finish(usize::MAX)
    }

    /// One way to falsify a record.
    #[derive(Debug, Clone)]
    enum Edit {
        Delete(usize),
        Double(usize, usize),
        Change(usize, u8),
        Swap(usize, usize),
        Add(usize),
        Garble(usize),
    }

    fn an_edit() -> impl Strategy<Value = Edit> {
        let place = 0..1_000_usize;
        prop_oneof![
            place.clone().prop_map(Edit::Delete),
            (place.clone(), place.clone()).prop_map(|(from, to)| Edit::Double(from, to)),
            (place.clone(), 0..6_u8).prop_map(|(at, what)| Edit::Change(at, what)),
            (place.clone(), place.clone()).prop_map(|(a, b)| Edit::Swap(a, b)),
            place.clone().prop_map(Edit::Add),
            place.prop_map(Edit::Garble),
        ]
    }

    fn edit(record: &mut Vec<Option<ChargeEvent>>, edit: &Edit, added: u128) {
        if record.is_empty() {
            return;
        }
        let len = record.len();
        match *edit {
            Edit::Delete(at) => drop(record.remove(at % len)),
            Edit::Double(from, to) => {
                let copy = record[from % len].clone();
                record.insert(to % (len + 1), copy);
            }
            Edit::Change(at, what) => {
                if let Some(event) = &mut record[at % len] {
                    match what {
                        0 => event.money = event.money.with_hundredths(event.money.hundredths() + 1),
                        1 => event.number = Msisdn::parse_digits("8613999999999").unwrap(),
                        2 => event.kind = ChargeKind::Activation,
                        3 => event.period_no += 1,
                        4 => event.money = Money::parse("5.00", "EUR").unwrap(),
                        _ => event.reverses = Some(Uuid::from_u128(3)),
                    }
                }
            }
            Edit::Swap(a, b) => record.swap(a % len, b % len),
            Edit::Add(at) => {
                let mut event = events(1, 1).remove(0);
                event.id = Uuid::from_u128(u128::MAX - added);
                record.insert(at % (len + 1), Some(event));
            }
            Edit::Garble(at) => record[at % len] = None,
        }
    }

    /// What must be found, by the plainest means: counting, and looking at every pair.
    fn expected(ours: &[ChargeEvent], record: &[Option<ChargeEvent>]) -> BTreeSet<(What, Option<Uuid>)> {
        let mut found = BTreeSet::new();
        for event in ours {
            let copies: Vec<_> = record.iter().flatten().filter(|line| line.id == event.id).collect();
            if copies.is_empty() {
                found.insert((What::Missing, Some(event.id)));
            }
            if copies.len() > 1 {
                found.insert((What::Doubled, Some(event.id)));
            }
            if copies.iter().any(|copy| *copy != event) {
                found.insert((What::Differs, Some(event.id)));
            }
            let first = |event: &ChargeEvent| record.iter().flatten().position(|line| line.id == event.id);
            let later = ours.iter().filter(|o| o.number == event.number && o.payer_no > event.payer_no);
            if first(event).is_some_and(|at| later.clone().any(|o| first(o).is_some_and(|other| other < at)))
            {
                found.insert((What::OutOfOrder, Some(event.id)));
            }
        }
        for line in record {
            match line {
                None => {
                    found.insert((What::Unreadable, None));
                }
                Some(line) if !ours.iter().any(|event| event.id == line.id) => {
                    found.insert((What::Unknown, Some(line.id)));
                }
                Some(_) => {}
            }
        }
        found
    }

    #[test]
    fn a_record_that_is_ours_has_no_difference_and_what_waits_is_none() {
        let ours = events(50, 7);
        let whole: Vec<_> = ours.iter().cloned().map(Some).collect();
        assert_eq!(report(&ours, whole.clone()).differences_total, 0);
        let mut comparison = Reconciliation::new(whole[..49].to_vec());
        ours.iter().enumerate().for_each(|(index, event)| comparison.compare(event, index < 49));
        let report = comparison.finish(10);
        assert_eq!((report.differences_total, report.waiting, report.events, report.lines), (0, 1, 50, 49));
    }

    #[test]
    fn payers_may_stand_in_the_record_in_any_order_of_each_other() {
        let ours = events(50, 7);
        let mut record: Vec<_> = ours.iter().cloned().map(Some).collect();
        record.sort_by_key(|line| line.as_ref().map(|event| event.number));
        assert_eq!(report(&ours, record).differences_total, 0);
    }

    proptest! {
        #[test]
        fn every_falsification_of_a_record_is_found_and_nothing_else(
            edits in prop::collection::vec(an_edit(), 0..8), count in 1_usize..40, payers in 1_usize..6,
        ) {
            let ours = events(count, payers);
            let mut record: Vec<_> = ours.iter().cloned().map(Some).collect();
            for (index, one) in edits.iter().enumerate() {
                edit(&mut record, one, index as u128);
            }
            let expected = expected(&ours, &record);
            let found: BTreeSet<_> =
                report(&ours, record).differences.into_iter().map(|d| (d.what, d.event)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
