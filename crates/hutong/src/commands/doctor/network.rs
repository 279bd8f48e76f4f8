//! What must be reached: our own ports, the SMS centre, the operator's own platform.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use smpp::{BindError, BoxFuture, DeliverAck, Delivered, Inbound, Session};
use tmf::{HttpSettings, OverHttp, Transport, TransportError};
use tokio::net::{TcpListener, TcpStream};

use super::Finding;
use crate::commands::serve::remote_platform;
use crate::config::{ChargingPort, Config, Role};

/// Whatever is in the same network answers in milliseconds.
const ANSWER_WAIT: Duration = Duration::from_secs(3);

pub(super) async fn look(config: &Config) -> Vec<Finding> {
    let ready = readiness(config.metrics).await;
    let runs = ready.is_some();
    let mut findings =
        vec![port("listen", config.listen, runs).await, port("metrics", config.metrics, runs).await];
    if config.has(Role::Sms) {
        findings.push(match ready {
            Some(said) => centre_of_server(config, &said),
            None => centre(config).await,
        });
    }
    match &config.platform.url {
        Some(_) => findings.push(platform(config).await),
        None if config.has(Role::Platform) => {
            findings.push(charging(config).await);
            findings.extend(providers(config).await);
        }
        None => {}
    }
    findings.extend(peer("peers-contacts", config, Role::Contacts, config.peers.contacts.as_deref()).await);
    findings.extend(peer("peers-exchange", config, Role::Exchange, config.peers.exchange.as_deref()).await);
    findings.push(numbers(config).await);
    findings
}

/// The way to the process with the other role of `/v1`; nothing where both are here, or neither is asked for it.
async fn peer(check: &'static str, config: &Config, role: Role, url: Option<&str>) -> Option<Finding> {
    if config.has(role) || !(config.has(Role::Contacts) || config.has(Role::Exchange)) {
        return None;
    }
    Some(match url {
        Some(url) if connects(url).await => Finding::fine(check, "it can be reached"),
        Some(_) => Finding::wrong(
            check,
            "the server with that role cannot be reached",
            "calls of /v1 that are its are answered 503, peer/unavailable",
            "Start it, correct its address in [peers], or open the firewall.",
        ),
        None => Finding::advice(
            check,
            "nobody says where the server with that role is",
            "calls of /v1 that are its are answered 404 here, so that terminals need two addresses",
            "Set its address in [peers].",
        ),
    })
}

/// What `/readyz` of a running server says; `None` when no server of ours answers.
async fn readiness(metrics: SocketAddr) -> Option<String> {
    let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_WAIT).build().ok()?;
    let answer = http.get(format!("http://{}/readyz", reached(metrics))).send().await.ok()?;
    answer.text().await.ok().filter(|said| said.starts_with("store: "))
}

/// Where a listener on every address is reached from here.
fn reached(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn port(check: &'static str, address: SocketAddr, runs: bool) -> Finding {
    match TcpListener::bind(address).await {
        Ok(_) => Finding::fine(check, format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse && runs => {
            Finding::fine(check, format!("{address} is in use, and the servers run"))
        }
        Err(error) => Finding::wrong(
            check,
            format!("{address} cannot be listened on: {error}"),
            "the servers do not start",
            format!("Stop what runs there, or set {check} to another address."),
        ),
    }
}

const TEXTS_WAIT: &str = "nobody can sign in or confirm an order: every text waits";

fn centre_of_server(config: &Config, said: &str) -> Finding {
    let check = "sms-centre";
    if said.contains("sms centre: ok") {
        return Finding::fine(check, "the running servers are bound to it");
    }
    let what = format!("the running servers are not bound to {}:{}", config.sms.host, config.sms.port);
    Finding::wrong(
        check,
        what,
        TEXTS_WAIT,
        "Look into their log for why; check sms.host, sms.port, sms.system_id and sms.password.",
    )
}

/// Takes nothing: whatever the centre delivers while we look comes again.
struct NotNow;

impl Inbound for NotNow {
    fn deliver(&self, _: Delivered) -> BoxFuture<'_, DeliverAck> {
        Box::pin(std::future::ready(DeliverAck::TryLater))
    }
}

/// Looks for every centre; the first that is not well is told.
async fn centre(config: &Config) -> Finding {
    let check = "sms-centre";
    let links = match config.sms.links(config.default_region) {
        Ok(links) => links,
        Err(failure) => {
            let hint = "Set sms.tls_authority to a PEM file with the certificate of the centre's authority.";
            return Finding::wrong(check, failure.sentence(), TEXTS_WAIT, hint);
        }
    };
    let mut fine = Vec::new();
    for centre in &links.centres {
        let at = centre.address();
        let kind = centre.binds.first().copied().unwrap_or_default();
        let mut bind = centre.bind_as(kind);
        bind.bind_timeout = ANSWER_WAIT;
        match Session::bind(bind, Arc::new(NotNow)).await {
            Ok(session) => {
                session.unbind().await;
                fine.push(at);
            }
            Err(error) => return centre_trouble(&at, &error),
        }
    }
    Finding::fine(check, format!("{} takes the account", fine.join(", ")))
}

fn centre_trouble(at: &str, error: &BindError) -> Finding {
    let check = "sms-centre";
    let (what, hint) = match error {
        BindError::Refused { status } => (
            format!("{at} refuses the account (status {status:#x})"),
            "Correct sms.system_id and sms.password; 0x5 means that the account is bound already.",
        ),
        BindError::Unreachable(_) => (
            format!("{at}: {error}"),
            "Start it, correct sms.host and sms.port, or open the firewall; 'hutong smsc' plays one.",
        ),
        BindError::Tls(cause) => (
            format!("{at}: {error}: {cause}"),
            "Correct sms.tls, sms.tls_authority and sms.tls_name, or have the centre's certificate renewed.",
        ),
        _ => (format!("{at}: {error}"), "See that it speaks SMPP 3.4 at this port."),
    };
    Finding::wrong(check, what, TEXTS_WAIT, hint)
}

/// Whether something listens at a web address.
async fn connects(url: &str) -> bool {
    let url = reqwest::Url::parse(url).ok();
    let address = url.and_then(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?)));
    let connect = async { TcpStream::connect(address.ok_or(ErrorKind::InvalidInput)?).await };
    matches!(tokio::time::timeout(ANSWER_WAIT, connect).await, Ok(Ok(_)))
}

/// The way to the network that knows of new owners and swapped SIMs.
async fn numbers(config: &Config) -> Finding {
    let check = "numbers";
    match &config.numbers.url {
        Some(url) if connects(url).await => Finding::fine(check, "the operator's network can be reached"),
        Some(_) => Finding::wrong(
            check,
            "the operator's network cannot be reached",
            "orders that cost fail as SIM_UNCHECKED, and accounts not used for a month stay shut for a day",
            "Correct numbers.url, or open the firewall.",
        ),
        None => Finding::advice(
            check,
            "nobody is asked whether a number got a new owner or its SIM was swapped",
            "a number's new owner finds the former one's account unless the operator tells of it",
            "Set numbers.url to the operator's network (CAMARA), or tell of each new owner.",
        ),
    }
}

/// The way to the charging system. Without one nothing is wrong yet, and nothing is handed over.
async fn charging(config: &Config) -> Finding {
    let check = "charging";
    let why = "charge events wait in the store and reach nobody";
    let charging = &config.charging;
    match (charging.port, &charging.url, &charging.directory) {
        (ChargingPort::Webhook, Some(url), _) => {
            if connects(url).await {
                return Finding::fine(check, "the charging system can be reached");
            }
            Finding::wrong(
                check,
                "the charging system cannot be reached",
                why,
                "Start it, correct charging.url, or open the firewall.",
            )
        }
        (ChargingPort::File, _, Some(directory)) => match tempfile::tempfile_in(directory) {
            Ok(_) => Finding::fine(check, format!("files are written into {}", directory.display())),
            Err(error) => Finding::wrong(
                check,
                format!("{} cannot be written into: {error}", directory.display()),
                why,
                "Set charging.directory to a directory that the server may write.",
            ),
        },
        _ => Finding::advice(
            check,
            "no charging system is configured",
            why,
            "Set charging.port to webhook or file when the operator's charging system is there.",
        ),
    }
}

/// The ways to the providers that are told of orders.
async fn providers(config: &Config) -> Option<Finding> {
    let check = "providers";
    let mut away = Vec::new();
    for one in &config.provisioning.providers {
        if !connects(&one.url).await {
            away.push(one.provider.as_str());
        }
    }
    let named = config.provisioning.providers.len();
    (named > 0).then(|| match away.as_slice() {
        [] => Finding::fine(check, format!("{named} providers can be reached")),
        away => Finding::wrong(
            check,
            format!("these providers cannot be reached: {}", away.join(", ")),
            "orders for their services are held, and fail after 72 hours",
            "Have them start, correct provisioning.providers, or open the firewall.",
        ),
    })
}

async fn platform(config: &Config) -> Finding {
    let check = "platform-url";
    let why = "no order is taken: each fails as PLATFORM_UNREACHABLE after a quarter of an hour";
    let path = "/tmf-api/productCatalogManagement/v4/productOffering?limit=1";
    let correct = "Correct platform.token, platform.ca_file and platform.identity_file.";
    let remote = match remote_platform(config) {
        Ok(remote) => remote.map(|remote| remote.http).unwrap_or_default(),
        Err(failure) => return Finding::wrong(check, failure.sentence(), why, correct),
    };
    let server = match OverHttp::new(&HttpSettings { answer_s_max: ANSWER_WAIT.as_secs(), ..remote }) {
        Ok(server) => server,
        Err(error) => return Finding::wrong(check, error.to_string(), why, correct),
    };
    match server.call(Request::get(path).body(Bytes::new()).unwrap_or_default()).await {
        Ok(answer) if answer.status().is_success() => Finding::fine(check, "it answers and takes the token"),
        Ok(answer) if matches!(answer.status().as_u16(), 401 | 403) => Finding::wrong(
            check,
            format!("it refuses the token with status {}", answer.status().as_u16()),
            why,
            "Set platform.token to one that it takes.",
        ),
        Ok(answer) => Finding::wrong(
            check,
            format!("its catalogue answers status {}", answer.status().as_u16()),
            why,
            "Set platform.url to where /tmf-api begins, without it.",
        ),
        Err(error) => Finding::wrong(
            check,
            match error {
                TransportError::NotSent => {
                    "it cannot be reached, or neither side takes the other's certificate"
                }
                TransportError::Unknown => "it does not answer in time",
            },
            why,
            "Start it, correct platform.url and the files of certificates, or open the firewall.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;
    use smpp::simulator;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::Weight;
    use super::*;

    async fn free() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
    }

    #[tokio::test]
    async fn a_port_that_somebody_else_has_is_found() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        assert_eq!(port("listen", address, false).await.weight, Weight::Wrong);
        assert_eq!(port("listen", address, true).await.weight, Weight::Fine);
        assert_eq!(port("listen", free().await, false).await.weight, Weight::Fine);
    }

    #[tokio::test]
    async fn a_centre_that_is_away_or_refuses_the_password_is_found() {
        let local = || TcpListener::bind("127.0.0.1:0");
        let settings = simulator::Config::new(Arc::new(|| 0));
        let running =
            simulator::Simulator::start(local().await.unwrap(), local().await.unwrap(), settings).await;
        let mut config = Config::default();
        config.sms.port = running.smpp_addr().port();
        assert_eq!(centre(&config).await.weight, Weight::Fine);
        config.sms.password = SecretString::from("wrong");
        let refused = centre(&config).await;
        assert!(refused.weight == Weight::Wrong && refused.what.contains("refuses"), "{refused:?}");
        config.sms.port = free().await.port();
        let away = centre(&config).await;
        assert!(away.weight == Weight::Wrong && away.what.contains("cannot be reached"), "{away:?}");
    }

    #[test]
    fn a_server_without_its_centre_is_found() {
        let config = Config::default();
        assert_eq!(centre_of_server(&config, "store: ok\nsms centre: away\n").weight, Weight::Wrong);
        assert_eq!(centre_of_server(&config, "store: ok\nsms centre: ok\n").weight, Weight::Fine);
    }

    #[tokio::test]
    async fn a_platform_that_is_away_or_refuses_is_found() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            for status in ["200 OK", "401 Unauthorized", "404 Not Found"] {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut request = [0; 4096];
                let _ = socket.read(&mut request).await.unwrap();
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]");
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let mut config = Config::default();
        config.platform.url = Some(url);
        assert_eq!(platform(&config).await.weight, Weight::Fine);
        assert!(platform(&config).await.what.contains("refuses the token"));
        assert!(platform(&config).await.what.contains("404"));
        assert!(platform(&config).await.what.contains("cannot be reached"));
    }
}
