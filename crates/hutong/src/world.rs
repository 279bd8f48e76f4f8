//! The one clock and the one source of randomness, made here and passed in everywhere else.

use std::sync::Arc;

use domain::world::{Clock, Dice, World};
use jiff::Timestamp;

/// The system's clock.
#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The operating system's randomness.
#[derive(Debug)]
struct SystemDice;

impl Dice for SystemDice {
    fn fill(&self, buffer: &mut [u8]) {
        if getrandom::fill(buffer).is_err() {
            // Codes and tokens that can be guessed would be worse than no answer at all.
            tracing::error!("the operating system gives no random bytes; check the sandbox of this process");
            std::process::abort();
        }
    }
}

/// The world as it is.
pub(crate) fn system() -> World {
    World::new(Arc::new(SystemClock), Arc::new(SystemDice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dice_do_not_repeat_themselves() {
        let world = system();
        assert_ne!(world.bytes::<32>(), world.bytes::<32>());
    }

    #[test]
    fn the_clock_is_past_the_day_it_was_written() {
        assert!(system().now() > "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap());
    }
}
