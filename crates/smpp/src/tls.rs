//! TLS between session and centre.

use std::io;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How to speak TLS to a centre. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Tls {
    client: Arc<ClientConfig>,
    name: Option<String>,
}

/// Why TLS could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Neither the operating system nor the file given has a certificate to trust.
    #[error("there is no certificate to trust")]
    NothingToTrust,
    /// What was given as certificates is none.
    #[error("the certificates to trust cannot be read")]
    Unreadable(#[source] rustls::pki_types::pem::Error),
    /// A certificate or a setting that the library refuses.
    #[error("TLS cannot be used")]
    Refused(#[from] rustls::Error),
}

impl Tls {
    /// Trusts what the operating system trusts.
    ///
    /// # Errors
    /// [`TlsError::NothingToTrust`].
    pub fn of_system() -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::trusting(roots)
    }

    /// Trusts the certificates of a PEM text alone: those of a centre with an authority of its own.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn of_pem(pem: &[u8]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.map_err(TlsError::Unreadable)?)?;
        }
        Self::trusting(roots)
    }

    /// Expects this name in the centre's certificate, where it is not the host that is connected to.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    fn trusting(roots: RootCertStore) -> Result<Self, TlsError> {
        if roots.is_empty() {
            return Err(TlsError::NothingToTrust);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { client: Arc::new(client), name: None })
    }

    /// Shakes hands over a connection to `host`.
    pub(crate) async fn connect(&self, stream: TcpStream, host: &str) -> io::Result<TlsStream<TcpStream>> {
        let name = self.name.as_deref().unwrap_or(host);
        let name = ServerName::try_from(name.to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        TlsConnector::from(Arc::clone(&self.client)).connect(name, stream).await
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_certificate_to_trust_there_is_no_tls() {
        assert!(matches!(Tls::of_pem(b"no certificate"), Err(TlsError::NothingToTrust)));
        let torn = b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
        assert!(matches!(Tls::of_pem(torn), Err(TlsError::Unreadable(_))));
    }
}
