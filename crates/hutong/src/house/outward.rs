//! Callbacks to listeners elsewhere: only to addresses of the public network, unless the operator allows others.
//! A listener's address is somebody's wish; without this, it could be one that only this machine can reach.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, Uri};
use ipnet::IpNet;
use platform::Callbacks;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use tmf::{Transport, TransportError};

/// What no public service has. Source: IANA, IPv4 and IPv6 Special-Purpose Address Registries; the blocks that carry
/// an IPv4 address within an IPv6 address are among them, whatever they carry.
const NOT_PUBLIC: [&str; 27] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/96",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
];

static BLOCKS: LazyLock<Vec<IpNet>> =
    LazyLock::new(|| NOT_PUBLIC.iter().filter_map(|block| block.parse().ok()).collect());

fn is_public(address: IpAddr) -> bool {
    !BLOCKS.iter().any(|block| block.contains(&address))
}

const CONNECT: Duration = Duration::from_secs(5);
/// Well within the lease of the job that waits for it.
const ANSWER: Duration = Duration::from_secs(10);

/// Listeners at any address that may be called.
pub(super) struct Elsewhere(Arc<Outward>);

impl Elsewhere {
    /// `private`: whether addresses that are not public may be called too.
    pub(super) fn new(private: bool) -> Result<Self, reqwest::Error> {
        Outward::new(private).map(|outward| Self(Arc::new(outward)))
    }
}

impl Callbacks for Elsewhere {
    fn transport(&self, callback: &str) -> Option<Arc<dyn Transport>> {
        self.0.may_call(callback).then(|| Arc::clone(&self.0) as Arc<dyn Transport>)
    }
}

/// Calls listeners: follows no redirects, uses no proxy, reads nothing of an answer but its status.
struct Outward {
    client: reqwest::Client,
    private: bool,
}

impl Outward {
    fn new(private: bool) -> Result<Self, reqwest::Error> {
        // The first in the process wins; a second one is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(ANSWER);
        if !private {
            client = client.dns_resolver(Arc::new(PublicOnly));
        }
        Ok(Self { client: client.build()?, private })
    }

    /// Whether a callback may be called, as far as its address itself tells. What a name leads to is looked at
    /// whenever it is called.
    fn may_call(&self, callback: &str) -> bool {
        let Ok(uri) = callback.parse::<Uri>() else { return false };
        let Some(authority) = uri.authority() else { return false };
        // Names and passwords in an address would stand in a log of the other side.
        if !matches!(uri.scheme_str(), Some("http" | "https")) || authority.as_str().contains('@') {
            return false;
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        match host.parse::<IpAddr>() {
            Ok(address) => self.private || is_public(address),
            // A name without a dot is one of this very network, and so is one that looks like a number.
            Err(_) => self.private || is_public_name(host),
        }
    }
}

fn is_public_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let last = host.rsplit('.').next().unwrap_or_default();
    host.contains('.')
        && last.starts_with(|c: char| c.is_ascii_alphabetic())
        && !["localhost", "local", "internal", "lan", "home", "arpa"].contains(&last)
}

impl Transport for Outward {
    fn call(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let sent =
                self.client.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
            let answer = sent.send().await.map_err(|error| {
                if error.is_connect() || error.is_builder() {
                    TransportError::NotSent
                } else {
                    TransportError::Unknown
                }
            })?;
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = answer.status();
            Ok(response)
        })
    }
}

/// Resolves names to their public addresses alone, at each call: what a name led to before tells nothing.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(Box::<dyn Error + Send + Sync>::from("the name leads to no public address"));
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn every_block_is_read_and_an_address_that_is_not_public_is_refused() {
        assert_eq!(BLOCKS.len(), NOT_PUBLIC.len());
        let (strict, open) = (Outward::new(false).unwrap(), Outward::new(true).unwrap());
        for public in
            ["https://crm.example.com/hub", "http://93.184.216.34:8080/x", "https://[2606:4700::1]/"]
        {
            assert!(strict.may_call(public) && open.may_call(public), "{public}");
        }
        for private in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.0.0.1/",
            "http://10.1.2.3:80/x",
            "http://169.254.169.254/latest/meta-data",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[fd00::1]/",
            "http://localhost/",
            "http://LOCALHOST./",
            "http://db/",
            "http://db.internal/",
        ] {
            assert!(!strict.may_call(private), "{private}");
            assert!(open.may_call(private), "{private}");
        }
        for never in
            ["", "x", "/hub", "ftp://crm.example.com/", "file:///etc/passwd", "http://a:b@crm.example.com/"]
        {
            assert!(!strict.may_call(never) && !open.may_call(never), "{never}");
        }
    }

    /// Listens on loopback; answers one call and tells what was asked.
    async fn listener() -> (SocketAddr, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 4096];
            let read = socket.read(&mut buffer).await.unwrap();
            socket
                .write_all(b"HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n")
                .await
                .unwrap();
            String::from_utf8_lossy(&buffer[..read]).into_owned()
        });
        (address, asked)
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_called_unless_that_is_allowed() {
        let (address, asked) = listener().await;
        let post = |port: u16| {
            Request::post(format!("http://localhost:{port}/hub/listener/X")).body(Bytes::from("{}")).unwrap()
        };
        let refused = Outward::new(false).unwrap().call(post(address.port())).await;
        assert_eq!(refused.unwrap_err(), TransportError::NotSent);
        let told = Outward::new(true).unwrap().call(post(address.port())).await.unwrap();
        assert_eq!(told.status().as_u16(), 302, "a redirect is not followed");
        assert!(asked.await.unwrap().starts_with("POST /hub/listener/X "));
    }
}
