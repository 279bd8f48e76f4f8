//! The people of every measurement here, made from nothing but a number.

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// Contacts of a book.
pub(crate) const BOOK: u64 = 200;

/// Of them, two for each of these distances to either side: friends, who list one back. Together some 47 % of the 90
/// who are registered.
const FRIENDS: u64 = 21;

/// Of them, registered people who need not list one back.
const KNOWN: u64 = 48;

/// How far away the nearest 17 distances lie at most: one's own community.
const COMMUNITY: u64 = 500;

/// Subscribers 0, 1, 2 …; three times as many others stand in their books and are not registered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct People {
    pub(crate) subscribers: u64,
}

impl People {
    pub(crate) fn new(subscribers: u64) -> Self {
        Self { subscribers: subscribers.max(1_000) }
    }

    /// The book of one of them at the beginning, ascending; a few contacts fewer where chance repeats itself.
    pub(crate) fn book(self, owner: u64) -> Vec<u64> {
        let all = self.subscribers;
        let distance = |at: u64| {
            let within = if at < 17 { COMMUNITY.min(all / 2 - 1) } else { all / 2 - 1 };
            1 + mixed(at) % within
        };
        let mut book: Vec<u64> = (0..FRIENDS)
            .flat_map(|at| [(owner + distance(at)) % all, (owner + all - distance(at)) % all])
            .chain((0..KNOWN).map(|at| mixed(owner << 16 | at) % all))
            .chain((2 * FRIENDS + KNOWN..BOOK).map(|at| self.stranger(owner << 16 | at)))
            .filter(|contact| *contact != owner)
            .collect();
        book.sort_unstable();
        book.dedup();
        book
    }

    /// Somebody who often stands in a book, at the cost of no book.
    pub(crate) fn someone(self, owner: u64, chance: u64) -> u64 {
        let within = COMMUNITY.min(self.subscribers / 2 - 1);
        (owner + 1 + mixed(chance % 17) % within) % self.subscribers
    }

    /// Somebody who is not registered.
    fn stranger(self, chance: u64) -> u64 {
        self.subscribers + mixed(chance) % (3 * self.subscribers)
    }

    /// Anybody, registered or not in equal parts.
    fn anybody(self, chance: u64) -> u64 {
        if chance.is_multiple_of(2) { mixed(chance) % self.subscribers } else { self.stranger(chance) }
    }

    /// Puts five others in the place of five contacts; `chance` names the change.
    pub(crate) fn change(self, owner: u64, book: &mut Vec<u64>, chance: u64) {
        for at in 0..5 {
            let chance = mixed(chance << 3 | at);
            book.swap_remove((chance % book.len() as u64) as usize);
            let other = self.anybody(chance);
            if other != owner {
                book.push(other);
            }
        }
        book.sort_unstable();
        book.dedup();
    }
}
