//! The PostgreSQL backend: one serializable transaction a write, run again when another came first.
//!
//! Verbs are synchronous, so each transaction runs on a blocking thread that waits for the driver.

mod connection;
mod grants;
mod shared;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use domain::world::World;
use tokio::runtime::Handle;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use self::connection::PostgresSql;
pub use self::grants::GrantError;
pub(crate) use self::grants::grant;
use self::shared::Shared;
use crate::backend::{Backend, BoxFuture, Effects, ReadUnit, Tools, WriteUnit, run_write};
use crate::error::{Kind, StoreError};
use crate::failpoints::{self, Point};
use crate::keys::{Keys, MasterKey};
use crate::schema;
use crate::sql::Sql;
use crate::store::{OpenError, Signals, View};

/// Connections of one process.
const CONNECTIONS: usize = 16;
/// Runs of one write before its caller is told that the store is contended.
const RUNS_MAX: u32 = 12;

const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
/// Two serializable transactions that look at one queue would count as rivals, whatever each takes from it.
const BEGIN_TAKE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Whether no transaction is left that began before the sealed seed was replaced: as long as there is one,
/// VACUUM keeps for it what was there before. Sessions of other users cannot be seen by all.
const SEEN_BY_NOBODY: &str = "SELECT NOT EXISTS (
    SELECT 1 FROM pg_stat_activity a JOIN meta m ON m.name = 'seed'
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
      AND (age(a.backend_xmin) >= age(m.xmin) OR age(a.backend_xid) >= age(m.xmin)))";

pub(crate) struct Postgres {
    pool: Pool,
    shared: Shared,
    pub(crate) tools: Tools,
    signals: Signals,
    /// Statements sent so far.
    sent: Arc<AtomicU64>,
}

impl Postgres {
    pub(crate) async fn open(
        url: &str,
        master: MasterKey,
        world: World,
        signals: Signals,
    ) -> Result<Self, OpenError> {
        let pool = connect(url)?;
        bring_up_to_date(&pool).await?;
        // Whoever is first gives a new database its keys; the others wait, and then find them.
        let begin = "BEGIN; SELECT pg_advisory_xact_lock(4842746)";
        let (dice, connection) = (world.clone(), take(&pool).await?);
        let keys = move |sql: &mut PostgresSql| schema::keys_of(sql, &master, &dice);
        let keys = in_transaction(connection, begin, keys).await?;
        Ok(Self::over(pool, Tools { keys, world }, signals))
    }

    /// Connects to what is there, which is for reading alone.
    pub(crate) async fn look(
        url: &str,
        master: MasterKey,
        world: World,
        signals: Signals,
    ) -> Result<Self, OpenError> {
        let pool = connect(url)?;
        let (dice, connection) = (world.clone(), take(&pool).await?);
        let look = move |sql: &mut PostgresSql| look_around(sql, &master, &dice);
        let keys = in_transaction(connection, "BEGIN READ ONLY", look).await?;
        Ok(Self::over(pool, Tools { keys, world }, signals))
    }

    fn over(pool: Pool, tools: Tools, signals: Signals) -> Self {
        let sent = Arc::<AtomicU64>::default();
        Self { shared: Shared::new(pool.clone(), Arc::clone(&sent)), pool, tools, signals, sent }
    }

    async fn connection(&self) -> Result<Object, StoreError> {
        take(&self.pool).await
    }

    /// Runs a unit's closure until it commits or the race is lost too often.
    async fn run_write(
        &self,
        mut unit: Box<dyn WriteUnit>,
    ) -> (Box<dyn WriteUnit>, Result<Option<Effects>, StoreError>) {
        let begin = if unit.takes() { BEGIN_TAKE } else { BEGIN_WRITE };
        let mut taken = None;
        for run in 0..RUNS_MAX {
            let client = match self.connection().await {
                Ok(client) => client,
                Err(error) => return (unit, Err(error)),
            };
            let tools = self.tools.clone();
            let mut sql = PostgresSql::new(client, Handle::current(), begin, &self.sent).knowing(taken);
            let task = tokio::task::spawn_blocking(move || {
                let effects = run_write(unit.as_mut(), &mut sql, &tools);
                let taken = sql.taken();
                (unit, end_write(sql, effects), taken)
            });
            let outcome;
            (unit, outcome, taken) = match task.await {
                Ok(done) => done,
                Err(_) => return (Box::new(Lost), Err(StoreError::new(Kind::Internal, "a write panicked"))),
            };
            match outcome {
                Err(error) if error.kind() == Kind::Contended => {
                    let pause_ms = self.tools.world.below(5 << run.min(6));
                    tokio::time::sleep(Duration::from_millis(pause_ms.into())).await;
                }
                outcome => return (unit, outcome),
            }
        }
        (unit, Err(StoreError::new(Kind::Contended, "other writes came first each time")))
    }
}

fn connect(url: &str) -> Result<Pool, OpenError> {
    let config: tokio_postgres::Config = url.parse().map_err(connection::error)?;
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let pool = Pool::builder(Manager::from_config(config, NoTls, manager))
        .max_size(CONNECTIONS)
        .wait_timeout(Some(Duration::from_secs(5)))
        .create_timeout(Some(Duration::from_secs(5)))
        .runtime(deadpool_postgres::Runtime::Tokio1)
        .build()
        .map_err(|error| StoreError::new(Kind::Internal, error))?;
    Ok(pool)
}

async fn take(pool: &Pool) -> Result<Object, StoreError> {
    pool.get().await.map_err(|error| StoreError::new(Kind::Unavailable, error))
}

/// Brings the schema up to date. Where it is, nothing is touched: a user with a role's rights alone may make nothing.
async fn migrate(client: &mut Object) -> Result<(), tokio_postgres::Error> {
    let there = client.query_one("SELECT to_regclass('schema_version') IS NOT NULL", &[]).await?;
    if there.get::<_, bool>(0) && version(client).await? >= schema::VERSION {
        return Ok(());
    }
    let tx = client.transaction().await?;
    // One copy migrates; the others wait here and then find nothing to do.
    tx.batch_execute("SELECT pg_advisory_xact_lock(4842746)").await?;
    tx.batch_execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)").await?;
    let found = version(tx.client()).await?;
    for step in schema::STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        for text in *step {
            tx.batch_execute(&connection::schema_dialect(text)).await?;
        }
    }
    if found < schema::VERSION {
        tx.execute("INSERT INTO schema_version (version) VALUES ($1)", &[&schema::VERSION]).await?;
    }
    tx.commit().await
}

async fn version(client: &tokio_postgres::Client) -> Result<i64, tokio_postgres::Error> {
    Ok(client.query_one("SELECT COALESCE(MAX(version), 0) FROM schema_version", &[]).await?.get(0))
}

/// The schema is up to date after this, and not ahead of this program.
async fn bring_up_to_date(pool: &Pool) -> Result<(), OpenError> {
    let mut client = take(pool).await?;
    let done = match migrate(&mut client).await {
        Ok(()) => version(&client).await,
        Err(error) => Err(error),
    };
    match done.map_err(connection::error) {
        Ok(found) if found > schema::VERSION => Err(OpenError::Newer { found, known: schema::VERSION }),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == Kind::NotAllowed => Err(OpenError::NotAllowed),
        Err(error) => Err(error.into()),
    }
}

/// Runs a closure in one transaction on a blocking thread; its error rolls back.
async fn in_transaction<T: Send + 'static>(
    client: Object,
    begin: &'static str,
    run: impl FnOnce(&mut PostgresSql) -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    let handle = Handle::current();
    let task = tokio::task::spawn_blocking(move || {
        let mut sql = PostgresSql::new(client, handle, begin, &Arc::default());
        let outcome = run(&mut sql);
        sql.end(outcome.is_ok())?;
        outcome
    });
    task.await.map_err(|error| StoreError::new(Kind::Internal, error))?
}

fn look_around(sql: &mut PostgresSql, master: &MasterKey, world: &World) -> Result<Keys, OpenError> {
    let begun =
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_name IN ('schema_version', 'meta')";
    if sql.query_one(begun, &[])?.map_or(Ok(0), |row| row.int(0))? < 2 {
        return Err(OpenError::NotBegun);
    }
    let version = sql.query_one("SELECT COALESCE(MAX(version), 0) FROM schema_version", &[])?;
    schema::same_version(version.map_or(Ok(0), |row| row.int(0))?)?;
    schema::known_keys(sql, master, world)
}

/// Stands in for a unit that a panic has taken: its caller sees the dropped answer.
struct Lost;

impl WriteUnit for Lost {
    fn run(&mut self, _: &mut crate::store::Tx<'_>) -> bool {
        false
    }

    fn finish(self: Box<Self>, _: Result<(), StoreError>) {}
}

/// Commits what a closure has written, if it has come to its end and lost no race.
fn end_write(sql: PostgresSql, effects: Option<Effects>) -> Result<Option<Effects>, StoreError> {
    // A closure may swallow or rename a lost race; the connection remembers it.
    let lost = sql.lost_race();
    failpoints::pass_blocking(Point::BeforeCommit)?;
    sql.end(effects.is_some() && !lost)?;
    failpoints::pass_blocking(Point::AfterCommit)?;
    if lost { Err(StoreError::new(Kind::Contended, "another write came first")) } else { Ok(effects) }
}

impl Backend for Postgres {
    fn write(&self, unit: Box<dyn WriteUnit>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let (unit, outcome) = self.run_write(unit).await;
            let done =
                outcome.map(|effects| effects.into_iter().for_each(|effects| self.signals.tell(effects)));
            unit.finish(done);
        })
    }

    fn read(&self, mut unit: Box<dyn ReadUnit>) -> BoxFuture<'_, ()> {
        let keys = self.tools.keys.clone();
        Box::pin(async move {
            let client = match self.connection().await {
                Ok(client) => client,
                Err(error) => return unit.finish(Err(error)),
            };
            let mut sql = PostgresSql::new(client, Handle::current(), BEGIN_READ, &self.sent);
            let _ = tokio::task::spawn_blocking(move || {
                unit.run(&mut View::new(&mut sql, &keys));
                sql.leave();
                unit.finish(Ok(()));
            })
            .await;
        })
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn read_little(&self, unit: Box<dyn ReadUnit>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Some(unit) = self.shared.read(unit, &self.tools.keys).await {
                self.read(unit).await;
            }
        })
    }

    fn statements(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn overwrite_old(&self) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            let client = self.connection().await?;
            let seen = client.query_one(SEEN_BY_NOBODY, &[]).await.map_err(connection::error)?;
            if !seen.get::<_, bool>(0) {
                return Ok(false);
            }
            client.batch_execute("SET lock_timeout = '500ms'").await.map_err(connection::error)?;
            // FULL writes the table anew: a plain VACUUM leaves the bytes in the page.
            let done = client.batch_execute("VACUUM (FULL) meta").await;
            client.batch_execute("RESET lock_timeout").await.map_err(connection::error)?;
            match done {
                Ok(()) => Ok(true),
                Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(false),
                Err(error) => Err(connection::error(error)),
            }
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let client = self.connection().await?;
            client.batch_execute("SELECT 1").await.map_err(connection::error)
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.pool.close();
            self.shared.close();
        })
    }
}
