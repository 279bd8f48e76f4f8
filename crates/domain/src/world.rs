//! The clock and the dice, made once in `hutong` and passed in.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present moment, UTC.
    fn now(&self) -> Timestamp;
}

/// Gives random bytes fit for secrets.
pub trait Dice: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The clock and the dice together: all that a rule needs of the world outside.
#[derive(Clone)]
pub struct World {
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
}

impl World {
    /// Joins a clock and dice.
    pub fn new(clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Self {
        Self { clock, dice }
    }

    /// The present moment, to the millisecond, as it is stored.
    pub fn now(&self) -> Timestamp {
        let now = self.clock.now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// Random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.dice.fill(&mut bytes);
        bytes
    }

    /// A number below `bound`, each equally likely to within 2^-32 of the bound's size.
    pub fn below(&self, bound: u32) -> u32 {
        let wide = u64::from_le_bytes(self.bytes());
        u32::try_from(wide % u64::from(bound.max(1))).unwrap_or(0)
    }

    /// A new id, version 7: time-ordered, 74 random bits. Source: RFC 9562, section 5.7.
    pub fn uuid(&self) -> Uuid {
        let millis = u64::try_from(self.now().as_millisecond()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }

    /// The seconds from `earlier` to now; 0 when `earlier` lies ahead.
    pub fn seconds_since(&self, earlier: Timestamp) -> i64 {
        self.now().duration_since(earlier).as_secs().max(0)
    }
}

/// The moment `seconds` after `from`; the far end of time when it does not exist.
pub fn after_seconds(from: Timestamp, seconds: i64) -> Timestamp {
    from.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// A clock that stands until it is moved: for tests and simulations.
pub struct SetClock(AtomicI64);

impl SetClock {
    /// A clock standing at the given Unix millisecond.
    pub fn at_ms(unix_ms: i64) -> Self {
        Self(AtomicI64::new(unix_ms))
    }

    /// Moves the clock forward (or, with a negative value, back).
    pub fn advance_s(&self, seconds: i64) {
        self.0.fetch_add(seconds.saturating_mul(1000), Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Dice that repeat themselves from a seed: for tests and simulations, never for secrets.
pub struct SeededDice {
    seed: u64,
    throws: AtomicU64,
}

impl SeededDice {
    /// Dice whose throws depend on the seed alone.
    pub fn new(seed: u64) -> Self {
        Self { seed, throws: AtomicU64::new(0) }
    }
}

impl Dice for SeededDice {
    fn fill(&self, buffer: &mut [u8]) {
        let throw = self.throws.fetch_add(1, Ordering::SeqCst);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes()).update(&throw.to_le_bytes());
        hasher.finalize_xof().fill(buffer);
    }
}
