//! The platform's jobs: replies, time limits, events, charges, calls to providers.

mod charges;
mod deliver;
mod expire;
mod provisioning;
mod read_reply;
mod renew;
mod text_settled;

use std::sync::Arc;

use store::jobs::{Handler, JobKind};

use crate::Platform;

pub(crate) fn all(platform: Platform) -> Vec<(JobKind, Arc<dyn Handler>)> {
    vec![
        (JobKind::ReadReply, Arc::new(read_reply::ReadReply(platform.clone()))),
        (JobKind::TextSettled, Arc::new(text_settled::TextSettled(platform.clone()))),
        (JobKind::ExpireConfirmation, Arc::new(expire::ExpireConfirmation(platform.clone()))),
        (JobKind::DeliverHubEvents, Arc::new(deliver::DeliverHubEvents(platform.clone()))),
        (JobKind::RenewProducts, Arc::new(renew::RenewProducts(platform.clone()))),
        (JobKind::CallProvider, Arc::new(provisioning::CallProvider(platform.clone()))),
        (JobKind::DeliverCharges, Arc::new(charges::DeliverCharges(platform))),
    ]
}
