//! The servers of one process: which roles run, over which store, on which sockets, and how they end.

mod erasures;
mod health;
mod in_process;
mod openapi;
mod operators;
mod outward;
mod passing;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::{Next, from_fn};
use axum::{Extension, Router};
use contacts::{Contacts, ContactsConfig, NumberCheck, Sessions, SignInLimits, TextLink};
use domain::Region;
use domain::quota::Quota;
use domain::world::World;
use edge::operator::{Changing, OperatorToken, Scope};
use edge::{Authenticator, TrustedProxies};
use exchange::{Exchange, SimCheck};
use operator::{Operators, Parts};
use platform::{Callbacks, Platform, PlatformConfig};
use sms::{Link, Sms, SmsConfig};
use store::jobs::{Handler, JobKind, Worker};
use store::roles::Role;
use store::upkeep::{self, Retention, Upkeep};
use store::{MasterKey, OpenError, Store, StoreError, Tx};
use tmf::camara::NumberChecks;
use tmf::{Breaker, HttpSettings, OverHttp, Transport};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) use self::in_process::InProcess;
use self::in_process::LateBound;
pub(crate) use self::openapi::{document, operator_document};
use self::outward::Elsewhere;

/// Connections that are still busy so long after the end began are cut.
const FAREWELL: Duration = Duration::from_secs(5);

/// Where a process listens and keeps its data, and what runs in it.
pub(crate) struct Plan {
    /// The address of every interface for terminals, operators and the platform.
    pub(crate) listen: TcpListener,
    /// The address of `/livez`, `/readyz` and `/metrics`.
    pub(crate) metrics: TcpListener,
    /// The data directory.
    pub(crate) data: PathBuf,
    /// PostgreSQL instead of the embedded store.
    pub(crate) database: Option<String>,
    /// The key file.
    pub(crate) key_file: PathBuf,
    /// Where the heads of the audit log are kept.
    pub(crate) audit_heads: PathBuf,
    /// Where the journal of erasures is kept.
    pub(crate) erasures: PathBuf,
    /// Which roles run here.
    pub(crate) roles: Roles,
    /// Where a number without a country code is read.
    pub(crate) region: Region,
    /// Proxies whose word on where a request comes from is believed.
    pub(crate) trusted_proxies: TrustedProxies,
    /// Prefixes of the numbers served.
    pub(crate) prefixes: Vec<String>,
    /// How often sign-in codes are texted and tried.
    pub(crate) sign_in: SignInLimits,
    /// How many numbers new to a book one subscriber may deliver.
    pub(crate) new_numbers: Quota,
    /// The centre.
    pub(crate) sms: SmsConfig,
    /// The built-in platform's settings.
    pub(crate) platform: PlatformConfig,
    /// An operator's own platform instead of the built-in one.
    pub(crate) remote_platform: Option<RemotePlatform>,
    /// Where the roles of `/v1` that do not run here are.
    pub(crate) peers: Peers,
    /// What the operator's network says of a number; `None`: it is not asked.
    pub(crate) numbers: Option<Arc<dyn NumberChecks>>,
    /// How old a SIM must be to order what costs.
    pub(crate) sim_swap_hours: i64,
    /// How long what an operator may want to look at again is kept.
    pub(crate) retention: Retention,
    /// Renders the metrics.
    pub(crate) render: Render,
}

impl Plan {
    /// What an operator's call reaches here.
    fn parts(&self, platform: Option<Platform>) -> Parts {
        let told = self.remote_platform.as_ref().is_some_and(|remote| remote.erases_former_owners);
        let parts = operators::parts(self.roles.contacts, self.roles.exchange, platform);
        Parts { tells_platform: self.roles.contacts && told, ..parts }
    }
}

/// An operator's own platform.
#[derive(Clone)]
pub(crate) struct RemotePlatform {
    /// How to reach it.
    pub(crate) http: HttpSettings,
    /// How it reaches this server, where that is not the address that is listened on.
    pub(crate) callback_base: Option<String>,
    /// Whether it is to erase whoever had a number before its new owner.
    pub(crate) erases_former_owners: bool,
}

/// The addresses of processes with other roles.
#[derive(Clone, Default)]
pub(crate) struct Peers {
    pub(crate) contacts: Option<String>,
    pub(crate) exchange: Option<String>,
}

/// Renders the metrics.
pub(crate) type Render = Arc<dyn Fn() -> String + Send + Sync>;

/// Which roles run in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Roles {
    pub(crate) contacts: bool,
    pub(crate) exchange: bool,
    pub(crate) platform: bool,
    pub(crate) sms: bool,
}

impl Roles {
    /// Those that keep something in the store.
    fn stored(self) -> Vec<Role> {
        let has = |role: &Role| match role {
            Role::Contacts => self.contacts,
            Role::Exchange => self.exchange,
            Role::Platform => self.platform,
            Role::Sms => self.sms,
        };
        Role::ALL.into_iter().filter(has).collect()
    }

    /// Whether something is decided here, of which a log and a journal are kept: not where texts are sent alone.
    fn decide(self) -> bool {
        self.contacts || self.exchange || self.platform
    }
}

/// Why the servers cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The exchange has nobody to order from.
    #[error(
        "the exchange needs a platform: add the role platform, or set platform.url to the operator's own"
    )]
    NoPlatform,
    /// Somebody was erased who stands in the database again, and is not this process's to erase.
    #[error(
        "the database is older than the journal of erasures beside the key file, and whom it names can only be erased by the process that has the role contacts: start that one first, with a copy of this journal where its own has been lost"
    )]
    ErasedElsewhere,
    /// The remote platform's settings.
    #[error("the operator's platform cannot be called")]
    Platform(#[from] tmf::SettingsError),
    /// What calls listeners elsewhere.
    #[error("the HTTP client cannot start")]
    Client(#[source] reqwest::Error),
    /// The sockets.
    #[error("a socket cannot be used")]
    Socket(#[from] std::io::Error),
}

/// The running servers.
pub(crate) struct House {
    pub(crate) api: SocketAddr,
    pub(crate) metrics: SocketAddr,
    pub(crate) store: Store,
    pub(crate) platform: Option<Platform>,
    pub(crate) link: Option<Link>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

struct LinkUp(Option<Link>);

impl TextLink for LinkUp {
    fn sends_within(&self, limit: Duration) -> bool {
        // Without the sms role here, the texts wait in the store for the process that has it.
        self.0.as_ref().is_none_or(|link| link.sends_within(limit))
    }
}

impl House {
    /// Opens the store and starts every role of the plan.
    pub(crate) async fn open(plan: Plan, world: World) -> Result<Self, StartError> {
        if plan.roles.exchange && !plan.roles.platform && plan.remote_platform.is_none() {
            return Err(StartError::NoPlatform);
        }
        let store = open_store(&plan, &world).await?;
        let callbacks = Arc::new(LateBound::and(Arc::new(
            Elsewhere::new(plan.platform.private_callbacks).map_err(StartError::Client)?,
        )));
        let platform = built_in_platform(&plan, &store, &world, &callbacks);
        if plan.roles.decide() {
            store.keep_audit_heads(&plan.audit_heads).await.map_err(OpenError::from)?;
            // What was erased comes back with no backup: first of all, before a text goes or anybody is let in.
            let again = store.keep_erasures(&plan.erasures).await.map_err(OpenError::from)?;
            erasures::again(&store, &plan, platform.clone(), again).await?;
        }
        begin_upkeep(&store, &world, plan.roles).await.map_err(OpenError::Store)?;
        let (api, metrics) = (plan.listen.local_addr()?, plan.metrics.local_addr()?);
        let mut house = Self {
            api,
            metrics,
            store,
            platform: None,
            link: None,
            stop: CancellationToken::new(),
            tasks: vec![],
        };
        if plan.roles.sms {
            house.start_sms(&plan, &world);
        }
        let routes = house.start_roles(&plan, &world, platform, &callbacks)?;
        if let Some(platform) = &house.platform {
            platform::charging::begin(platform).await.map_err(OpenError::from)?;
            platform::provisioning::begin(platform).await.map_err(OpenError::from)?;
        }
        let health =
            health::routes(house.store.clone(), world.clone(), house.link.clone(), Arc::clone(&plan.render));
        // Whoever calls from outside waits for the answer; jobs that call a role in this process do not.
        let urgent = from_fn(async |request, next: Next| store::urgently(next.run(request)).await);
        house.serve(plan.listen, edge::shell(routes.layer(urgent), world.clone()));
        house.serve(plan.metrics, health);
        tracing::info!("metrics on http://{metrics}");
        tracing::info!("listening on http://{api}");
        Ok(house)
    }

    fn start_sms(&mut self, plan: &Plan, world: &World) {
        let sms = Sms::new(self.store.clone(), world.clone(), plan.sms.clone());
        self.link = Some(sms.link());
        let stop = self.stop.clone();
        self.tasks.push(tokio::spawn(sms.run(async move { stop.cancelled().await })));
    }

    /// Builds the roles, joins exchange and platform in both directions, and starts the jobs.
    fn start_roles(
        &mut self,
        plan: &Plan,
        world: &World,
        platform: Option<Platform>,
        callbacks: &LateBound,
    ) -> Result<Router, StartError> {
        let mut router = Router::new();
        let upkeep = |role| Upkeep::new(self.store.clone(), world.clone(), plan.retention).of(role);
        let forget = |role| (upkeep::job_of(role), Arc::new(upkeep(role)) as Arc<dyn Handler>);
        let mut handlers: Vec<_> = plan.roles.stored().into_iter().map(forget).collect();
        // Nobody but the exchange in this process ever has it.
        let internal: String = world.bytes::<32>().iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(platform) = platform.clone().filter(|_| plan.roles.platform) {
            router = router.merge(self.start_platform(plan, platform, internal.clone(), &mut handlers));
        } else {
            router = router.merge(self.operators(plan, world, None));
        }
        if plan.roles.exchange {
            let transport: Arc<dyn Transport> = match &plan.remote_platform {
                Some(remote) => Arc::new(Breaker::new(Arc::new(OverHttp::new(&remote.http)?), world.clone())),
                None => Arc::new(InProcess::new(router.clone(), Some(internal))),
            };
            let client = tmf::Client::new(transport);
            let sim = plan.numbers.clone().map(|network| SimCheck { network, hours: plan.sim_swap_hours });
            let exchange =
                Exchange::new(self.store.clone(), world.clone(), client.clone(), plan.region).asking(sim);
            let listener = exchange::listener::routes(exchange.clone());
            callbacks.bind(Arc::new(InProcess::new(listener.clone(), None)));
            handlers.extend(exchange::jobs(&exchange));
            self.register_at_hub(plan, exchange.clone(), client);
            router = router.merge(listener).merge(v1(exchange::routes(exchange), &self.store));
        }
        if plan.roles.contacts {
            let (prefixes, proxies) = (plan.prefixes.clone(), plan.trusted_proxies.clone());
            let (region, sign_in, new_numbers) = (plan.region, plan.sign_in, plan.new_numbers);
            let config = ContactsConfig { prefixes, region, sign_in, new_numbers };
            let link = Arc::new(LinkUp(self.link.clone()));
            let former = Arc::new(operators::Former(plan.parts(platform)));
            let numbers = plan.numbers.clone().map(|network| NumberCheck { network, former });
            let contacts = Contacts::new(self.store.clone(), world.clone(), config, link).asking(numbers);
            let door = plan.platform.door.with_changing("key-file", operator_token(&self.store));
            router = router.merge(contacts::one_time_password::routes(contacts.clone(), door));
            router = router.merge(v1(contacts::routes(contacts), &self.store).layer(Extension(proxies)));
        }
        router = router.merge(passing::routes(plan).map_err(StartError::Client)?);
        let worker = Worker::new(self.store.clone(), world.clone(), handlers);
        let stop = self.stop.clone();
        self.tasks.push(tokio::spawn(worker.run(async move { stop.cancelled().await })));
        Ok(router.merge(openapi::routes()))
    }

    /// The built-in platform with its operator's interface.
    fn start_platform(
        &mut self,
        plan: &Plan,
        platform: Platform,
        internal: String,
        handlers: &mut Vec<(JobKind, Arc<dyn Handler>)>,
    ) -> Router {
        let door = plan.platform.door.with_changing("key-file", operator_token(&self.store));
        let exchange = OperatorToken {
            name: platform::EXCHANGE.to_owned(),
            token: internal,
            scopes: Scope::ALL.to_vec(),
        };
        let config = PlatformConfig { door: door.with(exchange), ..(*platform.config).clone() };
        let platform = Platform { config: Arc::new(config), ..platform };
        handlers.extend(platform::jobs(platform.clone()));
        self.platform = Some(platform.clone());
        let operators = self.operators(plan, &platform.world, Some(platform.clone()));
        platform::routes(platform).merge(operators)
    }

    /// The operator's interface, as far as the roles here go.
    fn operators(&self, plan: &Plan, world: &World, platform: Option<Platform>) -> Router {
        let parts = plan.parts(platform);
        let operators = Operators::new(self.store.clone(), world.clone(), plan.region, parts);
        operator::routes(operators, plan.platform.door.with_changing("key-file", operator_token(&self.store)))
    }

    /// Registers the exchange's listener until the platform has taken it, then asks for the catalogue.
    fn register_at_hub(&mut self, plan: &Plan, exchange: Exchange, client: tmf::Client) {
        let base = match &plan.remote_platform {
            Some(remote) => remote.callback_base.clone().unwrap_or_else(|| format!("http://{}", self.api)),
            None => in_process::CALLBACK_BASE.to_owned(),
        };
        let callback = format!("{base}{}", exchange::listener::callback_path(&exchange));
        let stop = self.stop.clone();
        self.tasks.push(tokio::spawn(async move {
            if let Err(error) = exchange.begin_comparing().await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "comparing with the platform could not be asked for");
            }
            let mut pause = Duration::from_millis(200);
            loop {
                match client.register_hub(&callback).await {
                    Ok(_) => break,
                    Err(error) => tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the platform's hub did not take the listener; trying again"
                    ),
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(30)),
                }
            }
            if let Err(error) = exchange.begin_sync().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the catalogue could not be asked for"
                );
            }
        }));
    }

    fn serve(&mut self, listener: TcpListener, router: Router) {
        let stop = self.stop.clone();
        self.tasks.push(tokio::spawn(async move {
            let ending = stop.clone();
            // Limiters want to know who is at the other end.
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            let serving = axum::serve(listener, service)
                .with_graceful_shutdown(async move { ending.cancelled().await });
            let farewell = async {
                stop.cancelled().await;
                tokio::time::sleep(FAREWELL).await;
            };
            // Requests in flight are finished; event streams would never end by themselves.
            tokio::select! {
                served = serving => if let Err(error) = served {
                    tracing::error!(error = &error as &dyn std::error::Error, "a listener has failed");
                },
                () = farewell => {}
            }
        }));
    }

    /// Finishes what is in flight and closes the store.
    pub(crate) async fn close(self) {
        self.stop.cancel();
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(error = &error as &dyn std::error::Error, "a task of the servers has failed");
            }
        }
        self.store.close().await;
    }
}

/// The built-in platform, where orders do not go to an operator's own; what it does in a write of another role
/// needs it also where it does not run.
fn built_in_platform(
    plan: &Plan,
    store: &Store,
    world: &World,
    callbacks: &Arc<LateBound>,
) -> Option<Platform> {
    plan.remote_platform.is_none().then(|| Platform {
        store: store.clone(),
        world: world.clone(),
        config: Arc::new(plan.platform.clone()),
        callbacks: Arc::clone(callbacks) as Arc<dyn Callbacks>,
    })
}

/// The token of an operator at this machine, as the key file has it now.
fn operator_token(store: &Store) -> Changing {
    let keys = store.keys().clone();
    Arc::new(move || keys.operator_token())
}

/// A role's part of `/v1`, with callers told apart.
fn v1(routes: Router, store: &Store) -> Router {
    let authenticator = Authenticator(Arc::new(Sessions(store.clone())));
    routes.layer(Extension(authenticator))
}

/// Makes sure that the jobs which forget are there: they never end, and one of each role serves all processes.
async fn begin_upkeep(store: &Store, world: &World, roles: Roles) -> Result<(), StoreError> {
    let (now, roles) = (world.now(), roles.stored());
    let begin =
        move |tx: &mut Tx<'_>, role: &Role| tx.jobs().enqueue_topic(upkeep::job_of(*role), "all", &(), now);
    store.write(move |tx| roles.iter().try_for_each(|role| begin(tx, role))).await
}

async fn open_store(plan: &Plan, world: &World) -> Result<Store, OpenError> {
    let master = MasterKey::in_file(&plan.key_file);
    match &plan.database {
        Some(url) => Store::open_postgres(url, &master, world.clone()).await,
        None => Store::open_embedded(&plan.data, &master, world.clone()),
    }
}
