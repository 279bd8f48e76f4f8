//! Texts on their way out.

mod hands;
mod outcome;
mod policy;
mod progress;
mod pump;
mod rate;
mod recover;

pub(crate) use hands::Hands;
pub(crate) use progress::Progress;
pub(crate) use pump::{Ended, Pump};
pub(crate) use rate::Rate;
pub(crate) use recover::{recover, take_over};
