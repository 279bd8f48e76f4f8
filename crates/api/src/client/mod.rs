//! The client of the contract: one method for every call of `/v1`.

mod calls;
mod error;
mod stream;
mod wire;

use std::time::Duration;

use reqwest::{Method, Url};

pub use error::ClientError;
pub use stream::{EventReader, EventStream};

/// Above the server's own limit of a request (60 s), so that its answer, not our impatience, decides.
const ANSWER_LIMIT: Duration = Duration::from_secs(75);
/// A name that does not answer by then will not.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// The server says something on a quiet event stream at least every 15 s; four of them missed is a dead line.
const SILENCE_LIMIT: Duration = Duration::from_secs(70);

/// Speaks to one Hutong server, as one signed-in device or as nobody.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
    token: Option<String>,
    answer_limit: Duration,
}

impl std::fmt::Debug for Client {
    // A token in a log is a stolen session.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("server", &self.server.as_str())
            .field("signed_in", &self.token.is_some())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the server at an address such as `https://hutong.example` or `http://127.0.0.1:8080`.
    ///
    /// Redirects are not followed: a token must not travel to another host. For `https` the binary must
    /// have installed a rustls provider before.
    ///
    /// # Errors
    /// [`ClientError::Address`] for what is no such address; [`ClientError::Setup`] without TLS provider.
    pub fn new(server_url: &str) -> Result<Self, ClientError> {
        let server = parse_address(server_url)?;
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_LIMIT)
            .read_timeout(SILENCE_LIMIT.max(ANSWER_LIMIT))
            .user_agent(concat!("hutong/", env!("CARGO_PKG_VERSION")));
        if server.scheme() == "http" {
            // Plain HTTP must work where no provider is installed and no root certificates exist, which
            // reqwest would otherwise look for. Nothing is trusted by this configuration.
            builder = builder.tls_backend_preconfigured(trusts_nobody()?);
        } else if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(ClientError::Setup("no TLS provider is installed in this program"));
        }
        if is_loopback(&server) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|_| ClientError::Setup("TLS could not be set up"))?;
        Ok(Self { http, server, token: None, answer_limit: ANSWER_LIMIT })
    }

    /// The same client with a device's token.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// The same client with another limit for a whole answer, event streams excepted; 75 s otherwise.
    #[must_use]
    pub fn with_answer_limit(mut self, limit: Duration) -> Self {
        self.answer_limit = limit;
        self
    }

    /// The server's address.
    pub fn server_url(&self) -> &str {
        self.server.as_str()
    }

    /// A call under `/v1`; every segment is escaped, whatever a person typed into it.
    fn call(&self, method: Method, segments: &[&str]) -> wire::Call {
        let mut url = self.server.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(segments);
        }
        let mut request = self.http.request(method, url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        wire::Call::new(request, self.answer_limit)
    }
}

fn parse_address(text: &str) -> Result<Url, ClientError> {
    let url = Url::parse(text.trim()).map_err(|_| ClientError::Address)?;
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let known = matches!(url.scheme(), "http" | "https") && url.has_host();
    if plain && known { Ok(url) } else { Err(ClientError::Address) }
}

fn is_loopback(server: &Url) -> bool {
    let host = server.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn trusts_nobody() -> Result<rustls::ClientConfig, ClientError> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let versions = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| ClientError::Setup("TLS could not be set up"))?;
    Ok(versions.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_web_addresses_are_taken() {
        for bad in ["", "hutong", "127.0.0.1:8080", "ftp://x", "http://", "http://u@h/", "http://h/?a=b"] {
            assert!(matches!(Client::new(bad), Err(ClientError::Address)), "{bad}");
        }
    }

    #[test]
    fn plain_http_needs_no_tls_provider() {
        assert!(Client::new("http://127.0.0.1:8080").is_ok());
        assert!(matches!(Client::new("https://127.0.0.1:8080"), Err(ClientError::Setup(_))));
    }

    #[test]
    fn what_a_person_types_stays_inside_its_segment() {
        let client = Client::new("http://127.0.0.1:8080/under").unwrap();
        let call = client.call(Method::GET, &["friends", "../me?x=1#/ 138", "shares"]);
        let url = call.url_for_tests();
        assert_eq!(url, "http://127.0.0.1:8080/under/v1/friends/..%2Fme%3Fx=1%23%2F%20138/shares");
    }
}
