//! The store's face: open, read, write, and hear of commits.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use domain::key::ContactKey;
use domain::world::World;
use tokio::sync::{broadcast, oneshot, watch};

use crate::audit::{self, AuditTx, AuditView, Heads};
use crate::backend::{Backend, Effects, Tools};
use crate::contacts::{ContactsTx, ContactsView};
use crate::embedded::Embedded;
use crate::erasures::{Erasure, ErasuresTx, ErasuresView, Journal, Kept};
use crate::error::{Kind, StoreError};
use crate::exchange::{ExchangeTx, ExchangeView};
use crate::failpoints::{self, Point};
use crate::friends::FriendsView;
use crate::funnel::{FunnelTx, FunnelView};
use crate::jobs::{JobsTx, JobsView};
use crate::keys::{KeyFileError, Keys, MasterKey};
use crate::platform::{PlatformTx, PlatformView};
use crate::postgres::{self, GrantError, Postgres};
use crate::roles::Role;
use crate::sql::Sql;
use crate::texts::{TextsTx, TextsView};
use crate::units::{Unit, gone};
use crate::upkeep::{UpkeepTx, UpkeepView};

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "the data directory is in use by another hutong: stop that one, or name another directory with --data"
    )]
    InUse,
    /// It was written under other keys.
    #[error(
        "the key file {} is not the one this data was written with: put the right file back, or name its place with keys.file", .0.display()
    )]
    WrongKeys(PathBuf),
    /// It was written by a newer version.
    #[error(
        "the data was written by a newer hutong (schema {found}, this one knows {known}): install that version"
    )]
    Newer {
        /// The schema found.
        found: i64,
        /// The newest schema known here.
        known: i64,
    },
    /// This user of the database may not do what there is to do.
    #[error(
        "this user of the database may neither make nor change its schema, or has no rights there: run 'hutong store migrate --grant ROLE=USER' as the user whose the database is"
    )]
    NotAllowed,
    /// Whoever only looks finds no data of this version.
    #[error("there is no data of this version of hutong yet: start the servers once")]
    NotBegun,
    /// It lacks commits that were acknowledged.
    #[error(
        "the database lacks the last {lost} commits that were acknowledged: its log is damaged or cut short, or an older copy stands in its place; put the newest backup back, or, to go on without them, remove {}", mark.display()
    )]
    Behind {
        /// How many commits.
        lost: u64,
        /// The file that says so.
        mark: PathBuf,
    },
    /// The key file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The database itself.
    #[error("the database cannot be opened")]
    Store(#[from] StoreError),
}

/// Hears of commits.
#[derive(Clone)]
pub(crate) struct Signals {
    events: broadcast::Sender<ContactKey>,
    jobs: watch::Sender<u64>,
    texts: watch::Sender<u64>,
    audit: Arc<OnceLock<audit::Keeper>>,
    erasures: Arc<OnceLock<Arc<Journal>>>,
}

impl Signals {
    fn new() -> Self {
        // A stream that lags behind so many events reads the table anyway.
        Self {
            events: broadcast::channel(1024).0,
            jobs: watch::channel(0).0,
            texts: watch::channel(0).0,
            audit: Arc::default(),
            erasures: Arc::default(),
        }
    }

    /// Tells whoever listens what a commit has caused.
    pub(crate) fn tell(&self, effects: Effects) {
        for key in effects.events {
            // Nobody listening is not a failure.
            let _ = self.events.send(key);
        }
        if effects.jobs {
            self.jobs.send_modify(|count| *count += 1);
        }
        if let Some(keeper) = self.audit.get().filter(|_| !effects.audit.is_empty()) {
            keeper.tell(effects.audit);
        }
        if effects.texts {
            self.texts.send_modify(|count| *count += 1);
        }
    }
}

/// One store, shared by all roles of a process; cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) tools: Tools,
    signals: Signals,
    pub(crate) rotating: Arc<tokio::sync::Mutex<()>>,
}

impl Store {
    /// Opens, or makes, the embedded store in a directory.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub fn open_embedded(directory: &Path, master: &MasterKey, world: World) -> Result<Self, OpenError> {
        let signals = Signals::new();
        let backend = Arc::new(Embedded::open(directory, master, world, signals.clone())?);
        Ok(Self { tools: backend.tools.clone(), backend, signals, rotating: Arc::default() })
    }

    /// Connects to PostgreSQL and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub async fn open_postgres(url: &str, master: &MasterKey, world: World) -> Result<Self, OpenError> {
        let signals = Signals::new();
        let backend = Arc::new(Postgres::open(url, master.clone(), world, signals.clone()).await?);
        let store = Self { tools: backend.tools.clone(), backend, signals, rotating: Arc::default() };
        store.end_broken_off_rotation().await;
        Ok(store)
    }

    /// Gives users of a PostgreSQL database, which is up to date, what their roles may do there and nothing else; a
    /// user with several roles gets all of theirs. It is for the user whose the tables are.
    ///
    /// # Errors
    /// [`GrantError`] says what to do; then nothing was changed.
    pub async fn grant_postgres(url: &str, users: &[(Role, String)]) -> Result<(), GrantError> {
        postgres::grant(url, users).await
    }

    /// Looks into what the embedded store in a directory holds, beside a running server or without one;
    /// nothing can be written.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub fn look_embedded(directory: &Path, master: &MasterKey, world: World) -> Result<Self, OpenError> {
        let backend = Arc::new(Embedded::look(directory, master, world)?);
        Ok(Self { tools: backend.tools.clone(), backend, signals: Signals::new(), rotating: Arc::default() })
    }

    /// Looks into what PostgreSQL holds, without bringing its schema up to date; nothing is to be written.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub async fn look_postgres(url: &str, master: &MasterKey, world: World) -> Result<Self, OpenError> {
        let signals = Signals::new();
        let backend = Arc::new(Postgres::look(url, master.clone(), world, signals.clone()).await?);
        Ok(Self { tools: backend.tools.clone(), backend, signals, rotating: Arc::default() })
    }

    /// Whether a directory holds an embedded store already.
    pub fn exists_in(directory: &Path) -> bool {
        Embedded::file(directory).exists()
    }

    /// Runs one atomic write. The closure's error rolls it back; the answer comes after the commit is
    /// durable. The closure may run more than once: it must not keep anything of an earlier run.
    ///
    /// # Errors
    /// The closure's own, or the store's turned into it.
    pub async fn write<T, E, F>(&self, write: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write_unit(write, false).await
    }

    /// Runs one atomic write that does nothing but take from a queue, by one statement of a `lease` or a `take_due`
    /// each: where several processes take, none waits for another or is run again because of it. Anything else
    /// belongs into [`Store::write`].
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn take<T, E, F>(&self, take: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write_unit(take, true).await
    }

    async fn write_unit<T, E, F>(&self, closure: F, takes: bool) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.backend.write(Box::new(Unit { closure, takes, outcome: None, reply })).await;
        answer.await.unwrap_or_else(|_| Err(gone().into()))
    }

    /// Runs one read over one snapshot.
    ///
    /// # Errors
    /// The closure's own, or the store's turned into it.
    pub async fn read<T, E, F>(&self, read: F) -> Result<T, E>
    where
        F: FnMut(&mut View<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.backend.read(Box::new(Unit { closure: read, takes: false, outcome: None, reply })).await;
        answer.await.unwrap_or_else(|_| Err(gone().into()))
    }

    /// Reads what people see of each other, over one snapshot: from memory where it is kept there, which takes
    /// microseconds and waits for no database.
    ///
    /// # Errors
    /// The closure's own, or the store's turned into it.
    pub async fn read_friends<T, E, F>(&self, mut read: F) -> Result<T, E>
    where
        F: FnMut(&mut FriendsView<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let mut outcome = None;
        let keys = &self.tools.keys;
        self.backend
            .remember(&mut |memory| outcome = Some(read(&mut FriendsView::of_memory(memory, keys))))?;
        match outcome {
            Some(outcome) => outcome,
            None => {
                let (reply, answer) = oneshot::channel();
                let closure = move |view: &mut View<'_>| read(&mut view.friends());
                self.backend
                    .read_little(Box::new(Unit { closure, takes: false, outcome: None, reply }))
                    .await;
                answer.await.unwrap_or_else(|_| Err(gone().into()))
            }
        }
    }

    /// How many statements this process has sent to a database server; 0 where there is none.
    pub fn statements(&self) -> u64 {
        self.backend.statements()
    }

    /// The keys of this installation.
    pub fn keys(&self) -> &Keys {
        &self.tools.keys
    }

    /// Whether other processes may write to the same database at the same time.
    pub fn is_shared(&self) -> bool {
        self.backend.is_shared()
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// The store's.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.backend.ping().await
    }

    /// Finishes what is queued and closes; later calls fail as unavailable.
    pub async fn close(&self) {
        self.backend.close().await;
        if let Some(keeper) = self.signals.audit.get() {
            keeper.flush().await;
        }
    }

    /// Keeps the audit log's heads in a file from here on; only the first call counts. What the file said
    /// before is looked at first: when the log does not hold it, the log was cut off or changed while no
    /// server ran. That is reported, and the file set aside as what it has to say.
    ///
    /// # Errors
    /// The store's.
    pub async fn keep_audit_heads(&self, file: &Path) -> Result<(), StoreError> {
        let before = std::fs::read_to_string(file);
        let (missing, known) = match &before {
            Ok(text) => (false, Heads::parse(text).ok()),
            Err(error) => (error.kind() == std::io::ErrorKind::NotFound, None),
        };
        let (heads, holds) = self
            .read::<_, StoreError, _>(move |view| {
                let heads = view.audit().heads()?;
                let mut holds = known.is_some();
                for head in known.iter().flat_map(Heads::all) {
                    holds &= view.audit().holds(head)?;
                }
                Ok((heads, holds))
            })
            .await?;
        if missing && heads.rows() > 0 {
            tracing::error!(
                "the file with the audit log's heads is gone, so a log cut off would not be noticed; run 'hutong audit verify' with a head kept elsewhere"
            );
        } else if !missing && !holds {
            tracing::error!(
                "the audit log is not the one its heads were kept of: it was cut off, changed, or put back from a backup; run 'hutong audit verify'"
            );
            set_aside(file, self.tools.world.now());
        }
        let _ = self.signals.audit.set(audit::Keeper::start(file.to_owned(), heads)?);
        Ok(())
    }

    /// Keeps the journal of erasures in a file from here on; only the first call counts. Writes what the
    /// database has and the file lacks, and answers what the file has and the database lacks: it is an older
    /// one, and whoever opened it erases again before anybody sees anything.
    ///
    /// # Errors
    /// The file's or the database's.
    pub async fn keep_erasures(&self, file: &Path) -> Result<Vec<Erasure>, StoreError> {
        let rows = self.read::<_, StoreError, _>(|view| view.erasures().list()).await?;
        let mut opened = Journal::open(file)?;
        if opened.unreadable > 0 {
            tracing::error!(
                file = %file.display(),
                lines = opened.unreadable,
                "the journal of erasures has lines that cannot be read: whoever they were about would come back \
                 with a restored backup; put a copy of the file back"
            );
        }
        let has =
            |list: &[Kept], one: &Kept| list.iter().any(|kept| (kept.id, kept.what) == (one.id, one.what));
        let (mut again, mut foreign) = (Vec::new(), 0);
        for line in opened.lines.iter().filter(|line| !has(&rows, line)) {
            match line.open(self.keys()) {
                Ok(erasure) => again.extend(erasure),
                Err(_) => foreign += 1,
            }
        }
        if foreign > 0 {
            tracing::error!(
                file = %file.display(),
                lines = foreign,
                "the journal of erasures has lines of another installation's keys, which say nothing here; where \
                 all are so, it is set aside"
            );
        }
        if foreign > 0 && foreign == opened.lines.len() {
            set_aside(file, self.tools.world.now());
            opened = Journal::open(file)?;
        }
        let lost: Vec<Kept> = rows.iter().filter(|row| !has(&opened.lines, row)).cloned().collect();
        let forgotten = lost.iter().filter(|row| row.who.is_none()).count();
        if forgotten > 0 {
            tracing::error!(
                file = %file.display(),
                erasures = forgotten,
                "the journal of erasures lacks some that can be written no more: whoever they were about would \
                 come back with a restored backup; put a copy of the file back"
            );
        }
        opened.journal.append(&lost)?;
        let _ = self.signals.erasures.set(Arc::new(opened.journal));
        Ok(again)
    }

    /// Writes an erasure, which is committed, into the journal; it is durable there when this returns. Where
    /// no journal is kept, nothing is done.
    ///
    /// # Errors
    /// Unavailable, when the file cannot be written: the next start writes what it lacks.
    pub async fn journal(&self, erasure: &Erasure) -> Result<(), StoreError> {
        let Some(journal) = self.signals.erasures.get().cloned() else { return Ok(()) };
        failpoints::pass(Point::ErasureCommitted).await?;
        let kept = Kept::of(erasure, &self.tools);
        let appended = tokio::task::spawn_blocking(move || journal.append(&[kept])).await;
        let appended = appended.map_err(|error| StoreError::new(Kind::Internal, error))?;
        appended.inspect_err(|error| {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "an erasure cannot be written into its journal: a restored backup would bring the person back; \
                 mend the file's place and start the servers anew"
            );
        })?;
        failpoints::pass(Point::ErasureJournalled).await
    }

    /// The files in which heads of this log were kept, those set aside included.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn audit_head_files(file: &Path) -> std::io::Result<Vec<PathBuf>> {
        audit::head_files(file)
    }

    /// Changes whenever a commit may have made a job due.
    pub fn jobs_signal(&self) -> watch::Receiver<u64> {
        self.signals.jobs.subscribe()
    }

    /// Changes whenever a commit may have made a text due.
    pub fn texts_signal(&self) -> watch::Receiver<u64> {
        self.signals.texts.subscribe()
    }

    /// Receives the key of each subscriber whose event stream grew in this process.
    pub fn events_signal(&self) -> broadcast::Receiver<ContactKey> {
        self.signals.events.subscribe()
    }
}

fn set_aside(file: &Path, now: jiff::Timestamp) {
    let mut aside = file.as_os_str().to_owned();
    aside.push(format!(".{}", now.as_millisecond()));
    if let Err(error) = std::fs::rename(file, aside) {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a file that says what this database is not cannot be set aside"
        );
    }
}

/// One snapshot to read from; each role's nouns have a view of their own.
pub struct View<'a> {
    sql: &'a mut dyn Sql,
    keys: &'a Keys,
}

impl<'a> View<'a> {
    pub(crate) fn new(sql: &'a mut dyn Sql, keys: &'a Keys) -> Self {
        Self { sql, keys }
    }

    /// What time it is to the database, where it has a clock of its own.
    ///
    /// # Errors
    /// The store's.
    pub fn clock(&mut self) -> Result<Option<jiff::Timestamp>, StoreError> {
        let read = |ms| {
            jiff::Timestamp::from_millisecond(ms).map_err(|_| StoreError::damaged("a clock out of range"))
        };
        self.sql.clock()?.map(read).transpose()
    }

    /// Reads the whole database and checks that it is as it was written; says what was checked.
    ///
    /// # Errors
    /// Damaged, when a page or an index is not what was written.
    pub fn check_integrity(&mut self) -> Result<&'static str, StoreError> {
        self.sql.check_integrity()
    }

    pub(crate) fn sql(&mut self) -> &mut dyn Sql {
        self.sql
    }
}

/// One atomic write; each role's nouns have a transaction of their own, which also reads.
pub struct Tx<'a> {
    pub(crate) sql: &'a mut dyn Sql,
    pub(crate) tools: &'a Tools,
    effects: &'a mut Effects,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(sql: &'a mut dyn Sql, tools: &'a Tools, effects: &'a mut Effects) -> Self {
        Self { sql, tools, effects }
    }
}

impl View<'_> {
    /// What people see of each other.
    pub fn friends(&mut self) -> FriendsView<'_> {
        FriendsView::of_rows(self.sql, self.keys)
    }
}

impl Tx<'_> {
    /// Runs a read over this write as it has come so far.
    pub fn read<T>(&mut self, read: impl FnOnce(&mut View<'_>) -> T) -> T {
        read(&mut View::new(self.sql, &self.tools.keys))
    }

    /// What people see of each other, as this write has left it so far.
    pub fn friends(&mut self) -> FriendsView<'_> {
        FriendsView::of_rows(self.sql, &self.tools.keys)
    }
}

/// Gives each room its view and its transaction: a view holds the connection and the keys, a
/// transaction a view, the world and the effects.
macro_rules! rooms {
    ($($(#[$doc:meta])* $method:ident: $view:ident, $tx:ident;)*) => {
        impl View<'_> {
            $($(#[$doc])* pub fn $method(&mut self) -> $view<'_> {
                $view { sql: self.sql, keys: self.keys }
            })*
        }

        impl Tx<'_> {
            $($(#[$doc])* pub fn $method(&mut self) -> $tx<'_> {
                let Tools { keys, world } = self.tools;
                $tx { view: $view { sql: self.sql, keys }, world, effects: self.effects }
            })*
        }
    };
}

rooms! {
    /// Subscribers, sessions, consents, books, matches.
    contacts: ContactsView, ContactsTx;
    /// Subscriptions, shares, orders as the exchange knows them, event streams.
    exchange: ExchangeView, ExchangeTx;
    /// Catalogue, products, product orders, confirmations, hub.
    platform: PlatformView, PlatformTx;
    /// Texts out and in.
    texts: TextsView, TextsTx;
    /// Work that a commit has caused.
    jobs: JobsView, JobsTx;
    /// The steps from a share to a subscription.
    funnel: FunnelView, FunnelTx;
    /// Every decision and every action of an operator.
    audit: AuditView, AuditTx;
    /// Who was erased.
    erasures: ErasuresView, ErasuresTx;
    /// What is past its time.
    upkeep: UpkeepView, UpkeepTx;
}

/// Declares a room's view and transaction, the transaction reading as the view.
macro_rules! room {
    ($(#[$vdoc:meta])* $view:ident, $(#[$tdoc:meta])* $tx:ident) => {
        $(#[$vdoc])*
        pub struct $view<'a> {
            pub(crate) sql: &'a mut dyn $crate::sql::Sql,
            #[allow(dead_code, reason = "some rooms seal nothing")]
            pub(crate) keys: &'a $crate::keys::Keys,
        }

        $(#[$tdoc])*
        pub struct $tx<'a> {
            pub(crate) view: $view<'a>,
            #[allow(dead_code, reason = "some rooms throw no dice")]
            pub(crate) world: &'a domain::world::World,
            #[allow(dead_code, reason = "some rooms have no effects")]
            pub(crate) effects: &'a mut $crate::backend::Effects,
        }

        impl<'a> std::ops::Deref for $tx<'a> {
            type Target = $view<'a>;
            fn deref(&self) -> &Self::Target {
                &self.view
            }
        }

        impl std::ops::DerefMut for $tx<'_> {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.view
            }
        }
    };
}
pub(crate) use room;
