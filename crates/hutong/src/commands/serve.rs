//! `hutong serve`: the servers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use domain::catalogue::ProviderId;
use domain::limits;
use domain::world::World;
use edge::TrustedProxies;
use edge::operator::{Door, OperatorToken, Scope};
use platform::PlatformConfig;
use platform::charging::{Charging, FileCharging, Webhook};
use platform::provisioning::{self, Provisioning};
use secrecy::ExposeSecret;
use tmf::camara::{Camara, NumberChecks};
use tmf::{HttpSettings, OverHttp};
use tokio::net::TcpListener;

use crate::config::{self, ChargingPort, Config, ConfigArgs, ProviderAddress, Role};
use crate::failure::Failure;
use crate::house::{House, Peers, Plan, RemotePlatform, Roles, StartError};
use crate::telemetry::{self, Metrics};

/// An answer of the charging system names one event; more is a mistake.
const CHARGING_ANSWER_BYTES_MAX: usize = 64 << 10;

/// What the network says of a number, or a provider of a call, is one word; more is a mistake.
const WORD_BYTES_MAX: usize = 64 << 10;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

/// Serves until Ctrl-C or a signal to end, then finishes what is in flight.
///
/// # Errors
/// A [`Failure`] of the configuration, of a socket or of the store.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let config = Config::load(&args.config)?;
    // Heard from before the store is opened: a signal during the start closes it like any other.
    let stop_wanted = super::stop_wanted();
    let metrics = telemetry::start_metrics()?;
    tokio::spawn(metrics.clone().keep_small());
    let world = crate::world::system();
    let house = House::open(plan(&config, metrics, &world).await?, world).await.map_err(failure)?;
    stop_wanted.await;
    tracing::info!("ending: finishing what is in flight");
    house.close().await;
    Ok(())
}

async fn plan(config: &Config, metrics: Metrics, world: &World) -> Result<Plan, Failure> {
    Ok(Plan {
        listen: bind(config.listen, "listen").await?,
        metrics: bind(config.metrics, "metrics").await?,
        data: config.data.clone(),
        database: config.database.as_ref().map(|url| url.expose_secret().to_owned()),
        key_file: config.key_file(),
        audit_heads: config.audit_head_file(),
        erasures: config.erasure_file(),
        roles: Roles {
            contacts: config.has(Role::Contacts),
            exchange: config.has(Role::Exchange),
            platform: config.has(Role::Platform),
            sms: config.has(Role::Sms),
        },
        region: config.default_region,
        trusted_proxies: TrustedProxies(config.trusted_proxies.iter().map(|network| network.0).collect()),
        prefixes: config.registration.prefixes.clone(),
        sign_in: config.registration.limits(),
        new_numbers: config.book.quota(),
        sms: config.sms.links(config.default_region)?,
        platform: PlatformConfig {
            charging: charging_port(config, world)?,
            provisioning: provisioning_ports(config)?,
            ..platform_config(config)
        },
        remote_platform: remote_platform(config)?,
        peers: Peers { contacts: config.peers.contacts.clone(), exchange: config.peers.exchange.clone() },
        numbers: number_checks(config)?,
        sim_swap_hours: config.numbers.sim_swap_hours,
        retention: config.retention.kept(),
        render: Arc::new(move || metrics.render()),
    })
}

/// How the operator's own platform is reached, where there is one.
pub(super) fn remote_platform(config: &Config) -> Result<Option<RemotePlatform>, Failure> {
    let config::Platform { url, token, timeout_s, ca_file, identity_file, callback_url, .. } =
        &config.platform;
    let erases_former_owners = config.platform.erases_former_owners;
    let Some(url) = url else { return Ok(None) };
    let read = |file: &Option<PathBuf>| {
        let read = file.as_ref().map(|file| {
            std::fs::read(file)
                .map_err(|error| Failure::user(format!("{} cannot be read", file.display())).because(&error))
        });
        read.transpose()
    };
    let http = HttpSettings {
        base: Some(url.clone()),
        // The servers of one installation may share one file, in which the platform's own tokens stand.
        token: token
            .as_ref()
            .or(config.platform.operator_tokens.first())
            .map(|token| token.expose_secret().to_owned()),
        answer_s_max: *timeout_s,
        authorities: read(ca_file)?,
        identity: read(identity_file)?,
        ..HttpSettings::default()
    };
    let callback_base = callback_url.as_ref().map(|url| url.trim_end_matches('/').to_owned());
    Ok(Some(RemotePlatform { http, callback_base, erases_former_owners }))
}

/// Who may use the operator's interfaces: the tokens without a name for everything, those with one for
/// what their scopes say.
fn door(config: &Config) -> Door {
    let unnamed = config.platform.operator_tokens.iter().enumerate().map(|(index, token)| OperatorToken {
        name: format!("operator_tokens-{}", index + 1),
        token: token.expose_secret().to_owned(),
        scopes: Scope::ALL.to_vec(),
    });
    let named = config.operator.tokens.iter().map(|token| OperatorToken {
        name: token.name.clone(),
        token: token.token.expose_secret().to_owned(),
        scopes: token.scopes.clone(),
    });
    Door::new(
        unnamed.chain(named).collect(),
        config.platform.open_on_loopback && config.listen.ip().is_loopback(),
    )
}

/// The built-in platform's part of the configuration.
pub(super) fn platform_config(config: &Config) -> PlatformConfig {
    PlatformConfig {
        door: door(config),
        confirmation_time_limit_s: config.confirmation.time_limit_s,
        attempts: config.confirmation.attempts.into(),
        sender: config.sms.sender.clone(),
        private_callbacks: config.platform.private_callbacks,
        ..PlatformConfig::default()
    }
}

/// The way to the operator's charging system.
pub(super) fn charging_port(config: &Config, world: &World) -> Result<Option<Arc<dyn Charging>>, Failure> {
    let charging = &config.charging;
    match (charging.port, &charging.url, &charging.directory) {
        (ChargingPort::Webhook, Some(url), _) => {
            let settings = HttpSettings {
                base: Some(url.clone()),
                token: charging.token.as_ref().map(|token| token.expose_secret().to_owned()),
                connect_s_max: limits::CHARGING_ANSWER_S_MAX.unsigned_abs(),
                answer_s_max: limits::CHARGING_ANSWER_S_MAX.unsigned_abs(),
                answer_bytes_max: CHARGING_ANSWER_BYTES_MAX,
                ..HttpSettings::default()
            };
            let transport = OverHttp::new(&settings)
                .map_err(|error| Failure::user("the charging system cannot be called").because(&error))?;
            Ok(Some(Arc::new(Webhook::new(Arc::new(transport)))))
        }
        (ChargingPort::File, _, Some(directory)) => {
            let zone = PlatformConfig::default().zone;
            let files = FileCharging::new(directory, world.clone(), zone).map_err(|error| {
                Failure::user(format!("charge files cannot be written into {}", directory.display()))
                    .because(&error)
                    .hint("Set charging.directory to a directory that the server may write.")
            })?;
            Ok(Some(Arc::new(files)))
        }
        _ => Ok(None),
    }
}

/// The ways to the providers that are told of orders.
fn provisioning_ports(config: &Config) -> Result<BTreeMap<ProviderId, Arc<dyn Provisioning>>, Failure> {
    let port = |one: &ProviderAddress| -> Result<(ProviderId, Arc<dyn Provisioning>), Failure> {
        let wait_s = one.timeout_s.unsigned_abs();
        let settings = HttpSettings {
            base: Some(one.url.clone()),
            token: one.token.as_ref().map(|token| token.expose_secret().to_owned()),
            connect_s_max: wait_s,
            answer_s_max: wait_s,
            answer_bytes_max: WORD_BYTES_MAX,
            ..HttpSettings::default()
        };
        let transport = OverHttp::new(&settings).map_err(|error| {
            Failure::user(format!("the provider {} cannot be called", one.provider)).because(&error)
        })?;
        Ok((one.provider.clone(), Arc::new(provisioning::Webhook::new(Arc::new(transport)))))
    };
    config.provisioning.providers.iter().map(port).collect()
}

/// The way to the operator's network.
fn number_checks(config: &Config) -> Result<Option<Arc<dyn NumberChecks>>, Failure> {
    let Some(url) = &config.numbers.url else { return Ok(None) };
    let wait_s = config.numbers.timeout_s.unsigned_abs();
    let settings = HttpSettings {
        base: Some(url.clone()),
        token: config.numbers.token.as_ref().map(|token| token.expose_secret().to_owned()),
        connect_s_max: wait_s,
        answer_s_max: wait_s,
        answer_bytes_max: WORD_BYTES_MAX,
        ..HttpSettings::default()
    };
    let transport = OverHttp::new(&settings)
        .map_err(|error| Failure::user("the operator's network cannot be asked").because(&error))?;
    Ok(Some(Arc::new(Camara::new(Arc::new(transport)))))
}

async fn bind(address: SocketAddr, key: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::user(format!("{address} cannot be listened on")).because(&error).hint(format!(
            "Stop what runs there, or set `{key}` to another address; port 0 picks a free one."
        ))
    })
}

/// A start that did not succeed: every cause is the operator's to mend.
pub(super) fn failure(error: StartError) -> Failure {
    Failure::user("the servers cannot start").because(&error)
}
