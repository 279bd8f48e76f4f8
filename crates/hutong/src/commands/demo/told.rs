//! The story as it is told: one readable line a step, and a mark where a step went otherwise.
#![allow(clippy::print_stdout, reason = "telling the story is what the demo is for")]

use std::fmt::Debug;

/// Tells steps and counts those that differed.
pub(super) struct Told {
    steps: usize,
    differed: usize,
}

/// Says something outside the story.
pub(super) fn aside(line: &str) {
    println!("{line}");
}

impl Told {
    pub(super) fn new() -> Self {
        Self { steps: 0, differed: 0 }
    }

    /// How many steps went otherwise than they should.
    pub(super) fn differed(&self) -> usize {
        self.differed
    }

    /// Says something that is no step.
    pub(super) fn say(&self, line: &str) {
        println!("{line}");
    }

    /// Tells a step, and checks that what came of it is what should.
    pub(super) fn step<T: PartialEq + Debug>(&mut self, line: &str, came: &T, should: &T) {
        self.steps += 1;
        if came == should {
            println!("{:>3}. {line}", self.steps);
        } else {
            self.differed += 1;
            println!(
                "{:>3}. {line}\n     !! it came to {came:?}, and should have come to {should:?}",
                self.steps
            );
        }
    }

    /// Shows what stands on a phone's screen.
    pub(super) fn screen(&self, whose: &str, from: &str, text: &str) {
        println!("       [{whose}'s phone, from {from}] {text}");
    }
}
