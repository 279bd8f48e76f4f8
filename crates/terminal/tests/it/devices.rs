//! Two devices of one person with books of their own, whatever is edited, lost and refused in between.

use std::collections::BTreeSet;

use proptest::prelude::*;
use terminal::memory::Memory;
use terminal::sync::{Extent, Outcome, SyncError, sync};

use crate::planning::numbers;
use crate::syncing::{Cue, Notebook, Server};

#[derive(Debug, Clone)]
enum Step {
    /// A device's address book gets or loses a contact.
    Edit { device: usize, contact: u64, there: bool },
    /// A device delivers its book; the answer may be lost on the way.
    Sync { device: usize, lost: bool },
    /// A device delivers some of its contacts alone.
    Part { device: usize, below: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..2_usize, 0..24_u64, any::<bool>())
            .prop_map(|(device, contact, there)| Step::Edit { device, contact, there }),
        4 => (0..2_usize, prop::bool::weighted(0.3)).prop_map(|(device, lost)| Step::Sync { device, lost }),
        1 => (0..2_usize, 0..24_u64).prop_map(|(device, below)| Step::Part { device, below }),
    ]
}

#[derive(Default)]
struct Device {
    memory: Notebook,
    contacts: BTreeSet<u64>,
    /// What it ever had and has removed.
    removed: BTreeSet<u64>,
}

impl Device {
    async fn sync(&self, server: &Server, extent: Extent, below: u64) -> Result<Outcome, SyncError> {
        let some = self.contacts.iter().copied().filter(|contact| *contact < below);
        sync(server, &self.memory, &numbers(some), extent, true).await
    }
}

async fn play(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let (server, mut devices) = (Server::default(), [Device::default(), Device::default()]);
    for step in steps {
        match step {
            Step::Edit { device, contact, there: true } => {
                devices[device].contacts.insert(contact);
            }
            Step::Edit { device, contact, there: false } => {
                if devices[device].contacts.remove(&contact) {
                    devices[device].removed.insert(contact);
                }
            }
            Step::Sync { device, lost: true } => {
                server.cue(Cue::AnswerLost);
                // Where nothing had to be sent, no answer could be lost.
                let _ = devices[device].sync(&server, Extent::Whole, u64::MAX).await;
                server.clear();
            }
            Step::Sync { device, lost: false } => {
                devices[device].sync(&server, Extent::Whole, u64::MAX).await.unwrap();
            }
            Step::Part { device, below } => {
                devices[device].sync(&server, Extent::Partial, below).await.unwrap();
            }
        }
    }
    // Everything settles in one round, and then nothing is sent any more.
    for device in &devices {
        device.sync(&server, Extent::Whole, u64::MAX).await.unwrap();
    }
    for device in &devices {
        let again = device.sync(&server, Extent::Whole, u64::MAX).await.unwrap();
        let state = device.memory.load().unwrap();
        prop_assert!(matches!(again, Outcome::Unchanged(_)), "{:?} {:?}", again, state);
    }
    let held = server.held();
    let text = |contact: u64| numbers([contact]).into_iter().next().map(|number| number.e164()).unwrap();
    for contact in 0..24 {
        let has = devices.iter().any(|device| device.contacts.contains(&contact));
        let removed = devices.iter().any(|device| device.removed.contains(&contact));
        let there = held.contains(&text(contact));
        prop_assert!(has || !there, "{contact} is in no device's book and stayed behind");
        prop_assert!(!has || removed || there, "{contact} was removed by nobody and is missing");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn no_device_undoes_the_other_and_nothing_stays_behind(steps in prop::collection::vec(step(), 0..40)) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(play(steps))?;
    }
}
