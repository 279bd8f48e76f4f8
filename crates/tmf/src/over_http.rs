//! The transport over HTTP, for a platform or a listener that runs somewhere else.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::future::BoxFuture;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Request, Response};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Identity};

use crate::transport::{Transport, TransportError};

/// How to reach the other side.
#[derive(Clone)]
pub struct HttpSettings {
    /// What stands before each request's path, such as `https://platform.example`; `None`: requests
    /// carry their whole address.
    pub base: Option<String>,
    /// The bearer token, when one is needed.
    pub token: Option<String>,
    /// The longest wait for a connection.
    pub connect_s_max: u64,
    /// The longest wait for the whole answer.
    pub answer_s_max: u64,
    /// The largest answer that is read.
    pub answer_bytes_max: usize,
    /// Certificates in PEM of whom the other side's certificate may come from, and from nobody else; `None`: from those
    /// that this machine trusts.
    pub authorities: Option<Vec<u8>>,
    /// Our own certificate with its private key in PEM, where the other side wants to see one.
    pub identity: Option<Vec<u8>>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        // A page of 500 products is below 1 MiB; 8 leaves room for another platform's longer shapes.
        Self {
            base: None,
            token: None,
            connect_s_max: 5,
            answer_s_max: 20,
            answer_bytes_max: 8 << 20,
            authorities: None,
            identity: None,
        }
    }
}

/// A transport over HTTP: follows no redirects, tries nothing twice.
pub struct OverHttp {
    client: reqwest::Client,
    base: Option<String>,
    token: Option<HeaderValue>,
    answer_bytes_max: usize,
}

/// Why a transport cannot be made of its settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The token holds what no header may.
    #[error("the bearer token may hold visible ASCII characters only")]
    Token,
    /// The certificates of those to trust, or our own with its key.
    #[error("the {0} cannot be read as PEM")]
    Pem(&'static str, #[source] reqwest::Error),
    /// The TLS or resolver part of the client could not start.
    #[error("the HTTP client cannot start")]
    Client(#[source] reqwest::Error),
}

impl OverHttp {
    /// A transport with its settings.
    ///
    /// # Errors
    /// [`SettingsError`] says which part is at fault.
    pub fn new(settings: &HttpSettings) -> Result<Self, SettingsError> {
        // The first in the process wins; a second one is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(settings.connect_s_max))
            .timeout(Duration::from_secs(settings.answer_s_max));
        if let Some(pem) = &settings.authorities {
            let authorities = Certificate::from_pem_bundle(pem);
            client = client.tls_certs_only(
                authorities.map_err(|error| SettingsError::Pem("certificates to trust", error))?,
            );
        }
        if let Some(pem) = &settings.identity {
            let identity = Identity::from_pem(pem);
            client = client.identity(
                identity.map_err(|error| SettingsError::Pem("own certificate with its key", error))?,
            );
        }
        let client = client.build().map_err(SettingsError::Client)?;
        let token = match &settings.token {
            None => None,
            Some(token) => {
                let mut value =
                    HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| SettingsError::Token)?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let base = settings.base.as_deref().map(|base| base.trim_end_matches('/').to_owned());
        Ok(Self { client, base, token, answer_bytes_max: settings.answer_bytes_max })
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let (parts, body) = request.into_parts();
        let address = format!("{}{}", self.base.as_deref().unwrap_or(""), parts.uri);
        let mut headers = parts.headers;
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, token.clone());
        }
        let sent = self.client.request(parts.method, address).headers(headers).body(body).send().await;
        let answer = sent.map_err(|error| certainty(&error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut bytes = BytesMut::new();
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| TransportError::Unknown)?;
            if bytes.len() + chunk.len() > self.answer_bytes_max {
                return Err(TransportError::Unknown);
            }
            bytes.extend_from_slice(&chunk);
        }
        let mut response = Response::new(bytes.freeze());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

impl Transport for OverHttp {
    fn call(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.exchange(request))
    }
}

/// Only a connection that was never made, or a request that was none, is certain.
fn certainty(error: &reqwest::Error) -> TransportError {
    if error.is_connect() || error.is_builder() { TransportError::NotSent } else { TransportError::Unknown }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::server::WebPkiClientVerifier;
    use rustls::{RootCertStore, ServerConfig};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    async fn call(base: String, answer_bytes_max: usize) -> Result<Response<Bytes>, TransportError> {
        let settings = HttpSettings {
            base: Some(base),
            token: Some("t".to_owned()),
            answer_bytes_max,
            ..HttpSettings::default()
        };
        let transport = OverHttp::new(&settings).unwrap();
        transport.call(Request::get("/x?y=1").body(Bytes::new()).unwrap()).await
    }

    /// Answers one connection with the given bytes and tells what was asked.
    async fn server(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 4096];
            let read = socket.read(&mut buffer).await.unwrap();
            socket.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&buffer[..read]).into_owned()
        });
        (base, asked)
    }

    #[tokio::test]
    async fn the_token_goes_along_and_a_redirect_is_not_followed() {
        let (base, asked) = server("HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 2\r\n\r\nhi").await;
        let answer = call(base, 100).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (302, b"hi".as_slice()));
        let asked = asked.await.unwrap().to_ascii_lowercase();
        assert!(asked.starts_with("get /x?y=1 ") && asked.contains("authorization: bearer t\r\n"), "{asked}");
    }

    #[tokio::test]
    async fn an_answer_that_is_too_large_or_cut_off_leaves_it_open_whether_the_other_side_acted() {
        let (base, _) = server("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789").await;
        assert_eq!(call(base, 8).await.unwrap_err(), TransportError::Unknown);
        let (base, _) = server("").await;
        assert_eq!(call(base, 8).await.unwrap_err(), TransportError::Unknown);
    }

    /// Somebody who vouches for certificates.
    struct Authority {
        pem: String,
        issuer: Issuer<'static, KeyPair>,
    }

    impl Authority {
        fn new() -> Self {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let pem = params.self_signed(&key).unwrap().pem();
            Self { pem, issuer: Issuer::new(params, key) }
        }

        fn vouch(&self, name: &str) -> (Certificate, KeyPair) {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            (params.signed_by(&key, &self.issuer).unwrap(), key)
        }

        fn identity(&self) -> Vec<u8> {
            let (certificate, key) = self.vouch("exchange");
            format!("{}{}", certificate.pem(), key.serialize_pem()).into_bytes()
        }
    }

    /// A server that shows a certificate and wants to see one of the same authority.
    async fn guarded(authority: &Authority) -> String {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let (certificate, key) = authority.vouch("localhost");
        let mut roots = RootCertStore::empty();
        let own = CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap();
        roots.add(own).unwrap();
        let callers = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(callers.build().unwrap())
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let Ok(mut socket) = acceptor.accept(socket).await else { continue };
                let mut asked = vec![0; 4096];
                let _ = socket.read(&mut asked).await;
                let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await;
            }
        });
        address
    }

    #[tokio::test]
    async fn both_sides_show_a_certificate_that_the_other_trusts_or_nothing_is_said() {
        let (authority, stranger) = (Authority::new(), Authority::new());
        let base = guarded(&authority).await;
        let trusted = |of: &Authority| Some(of.pem.clone().into_bytes());
        for (authorities, identity, wanted) in [
            (trusted(&authority), Some(authority.identity()), true),
            (trusted(&authority), None, false),
            (trusted(&authority), Some(stranger.identity()), false),
            (trusted(&stranger), Some(authority.identity()), false),
            (None, Some(authority.identity()), false),
        ] {
            let base = Some(base.clone());
            let settings = HttpSettings { base, authorities, identity, ..HttpSettings::default() };
            let server = OverHttp::new(&settings).unwrap();
            let answer = server.call(Request::get("/").body(Bytes::new()).unwrap()).await;
            assert_eq!(answer.is_ok_and(|answer| answer.body() == "hi"), wanted);
        }
        let settings = HttpSettings { identity: Some(b"no PEM".to_vec()), ..HttpSettings::default() };
        assert!(matches!(OverHttp::new(&settings), Err(SettingsError::Pem(..))));
    }

    #[tokio::test]
    async fn where_nobody_listens_nothing_was_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        assert_eq!(call(base, 8).await.unwrap_err(), TransportError::NotSent);
    }
}
