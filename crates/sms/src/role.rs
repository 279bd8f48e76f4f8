//! The role: all centres over one store.

use std::sync::Arc;

use domain::world::World;
use store::Store;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::centre::{Centre, Post};
use crate::config::SmsConfig;
use crate::link::{Link, LinkKeeper};
use crate::news::{News, Teller};
use crate::outbox::{Hands, Progress, recover};
use crate::upkeep;

/// What all parts of the role share.
pub(crate) struct Room {
    pub(crate) store: Store,
    pub(crate) world: World,
    pub(crate) config: SmsConfig,
    pub(crate) centres: Vec<Arc<Centre>>,
    pub(crate) posts: Vec<Arc<Post>>,
    pub(crate) hands: Hands,
    pub(crate) progress: Progress,
    pub(crate) link: LinkKeeper,
    pub(crate) teller: Teller,
}

/// The SMS role, ready to run.
pub struct Sms {
    room: Arc<Room>,
}

impl Sms {
    /// Makes the role; nothing is connected before [`Sms::run`].
    #[must_use]
    pub fn new(store: Store, world: World, config: SmsConfig) -> Self {
        Self::with_teller(store, world, config, Teller::default())
    }

    /// Makes the role, and tells `listener` what happens as long as it listens. News wait in memory for it.
    #[must_use]
    pub fn observed(
        store: Store,
        world: World,
        config: SmsConfig,
        listener: mpsc::UnboundedSender<News>,
    ) -> Self {
        Self::with_teller(store, world, config, Teller(Some(listener)))
    }

    fn with_teller(store: Store, world: World, config: SmsConfig, teller: Teller) -> Self {
        let centres: Vec<_> = config.centres.iter().cloned().map(Centre::new).collect();
        let posts = centres.iter().flat_map(Centre::posts).collect();
        let link = LinkKeeper::new(world.now());
        let (hands, progress) = (Hands::default(), Progress::default());
        Self { room: Arc::new(Room { store, world, config, centres, posts, hands, progress, link, teller }) }
    }

    /// A view of the connections, for readiness and for sign-in.
    #[must_use]
    pub fn link(&self) -> Link {
        self.room.link.watch()
    }

    /// Runs until `stop` resolves; then takes no more texts, waits for the answers that are due and
    /// unbinds. A centre that is away, at the start or later, is tried again for ever.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let stopping = CancellationToken::new();
        let upkeep = upkeep::run(Arc::clone(&self.room), stopping.clone());
        let binds = self.keep_bound(&stopping);
        let stopped = async {
            stop.await;
            stopping.cancel();
        };
        tokio::join!(stopped, upkeep, binds);
    }

    async fn keep_bound(&self, stopping: &CancellationToken) {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = recover(&self.room) => {}
        }
        let mut binds = JoinSet::new();
        for post in &self.room.posts {
            binds.spawn(Arc::clone(post).keep(Arc::clone(&self.room), stopping.clone()));
        }
        while let Some(ended) = binds.join_next().await {
            if let Err(error) = ended {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a bind ended in a way that is a mistake in this program: start the process anew"
                );
            }
        }
    }
}
