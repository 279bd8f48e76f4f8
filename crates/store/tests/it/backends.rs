//! Opens each backend fresh for one law.

use std::sync::Arc;

use domain::Msisdn;
use domain::world::{SeededDice, SetClock, World};
use store::{MasterKey, Store};

/// Noon, 22 November 2026, UTC.
pub(crate) const START_MS: i64 = 1_795_348_800_000;

/// One store to try a law on, and the clock it reads.
pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) world: World,
    directory: Option<tempfile::TempDir>,
    /// Where the database is, when it is one of PostgreSQL.
    pub(crate) url: Option<String>,
}

fn world(seed: u64) -> (Arc<SetClock>, World) {
    let clock = Arc::new(SetClock::at_ms(START_MS));
    (Arc::clone(&clock), World::new(clock, Arc::new(SeededDice::new(seed))))
}

pub(crate) fn keys() -> MasterKey {
    MasterKey::from_secret([7; 32])
}

impl Bench {
    pub(crate) fn embedded() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (clock, world) = world(1);
        let store = Store::open_embedded(directory.path(), &keys(), world.clone()).unwrap();
        Self { store, clock, world, directory: Some(directory), url: None }
    }

    /// A database of its own in the cluster that the test command started; `None` (and a word about
    /// it) when there is none and nobody insists.
    pub(crate) async fn postgres(law: &str) -> Option<Self> {
        let Ok(url) = std::env::var("HUTONG_TEST_POSTGRES") else {
            assert!(std::env::var("CI").is_err(), "CI must test PostgreSQL: run cargo xtask test");
            eprintln!("skipped: set HUTONG_TEST_POSTGRES or run cargo xtask test");
            return None;
        };
        let (client, connection) =
            tokio_postgres::connect(&format!("{url}/postgres"), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let name = format!("law_{}_{law}", std::process::id()).chars().take(60).collect::<String>();
        client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let (clock, world) = world(2);
        let url = format!("{url}/{name}");
        let store = Store::open_postgres(&url, &keys(), world.clone()).await.unwrap();
        Some(Self { store, clock, world, directory: None, url: Some(url) })
    }

    /// Where the embedded store lies.
    pub(crate) fn path(&self) -> &std::path::Path {
        self.directory.as_ref().unwrap().path()
    }

    /// Closes the store and opens it again, where that means something.
    pub(crate) async fn reopen(mut self) -> Self {
        if let Some(directory) = &self.directory {
            self.store.close().await;
            let (store, path) = (self.store.clone(), directory.path().to_owned());
            drop(store);
            self.store = reopen_embedded(&mut self.store, &path, &self.world).await;
        }
        self
    }
}

async fn reopen_embedded(old: &mut Store, path: &std::path::Path, world: &World) -> Store {
    // The lock is held by the old handle until it is dropped.
    let placeholder = tempfile::tempdir().unwrap();
    *old = Store::open_embedded(placeholder.path(), &keys(), world.clone()).unwrap();
    Store::open_embedded(path, &keys(), world.clone()).unwrap()
}

/// A mobile number of the home plan.
pub(crate) fn number(n: u64) -> Msisdn {
    Msisdn::parse_e164(&format!("+86138{n:08}")).unwrap()
}

/// Makes one test a backend of each law.
macro_rules! laws {
    ($($law:ident)*) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $law() {
                super::$law(crate::backends::Bench::embedded()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $law() {
                if let Some(bench) = crate::backends::Bench::postgres(stringify!($law)).await {
                    super::$law(bench).await;
                }
            })*
        }
    };
}
pub(crate) use laws;
