//! How a CardDAV server is reached: a port, and what goes wrong on it.

use std::error::Error;
use std::future::Future;

use bytes::Bytes;
use http::{Request, Response, Uri};
use libdav::dav::SyncCollectionParseError;
use libdav::requests::{DavRequest, ParseResponseError};

/// Carries requests to the person's own server: it adds the name and the password, follows redirects on the same
/// server alone, and bounds time and size.
pub trait DavServer: Sync {
    /// Sends one request; its address is whole.
    fn call(
        &self,
        request: Request<String>,
    ) -> impl Future<Output = Result<Response<Bytes>, CallError>> + Send;
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It did not come, or not whole.
    #[error("the CardDAV server gave no whole answer")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
    /// It is larger than an address book may be.
    #[error("the CardDAV server's answer is too large for an address book")]
    TooLarge,
    /// The server sends us to another one, which gets no password.
    #[error("the CardDAV server sends this terminal to another one; give that one's address")]
    Elsewhere,
}

/// Why a server's books could not be pulled.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// There is no answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The name or the password is wrong.
    #[error("the CardDAV server does not take this name and password")]
    Password,
    /// No address book was found.
    #[error("no address book is to be found at this address of the CardDAV server")]
    NoBook,
    /// It refused.
    #[error("the CardDAV server refuses with status {0}")]
    Status(u16),
    /// What it answers cannot be read.
    #[error("the CardDAV server's answer cannot be read")]
    Garbage,
    /// It no longer knows the token that it gave.
    #[error("the CardDAV server no longer knows what was pulled last")]
    DeadToken,
    /// More cards than an address book may have.
    #[error("the CardDAV server has more cards than an address book may have")]
    TooMuch,
}

impl From<ParseResponseError> for PullError {
    fn from(error: ParseResponseError) -> Self {
        match error {
            ParseResponseError::BadStatusCode(status) => Self::Status(status.as_u16()),
            // Their texts may quote what the server sent.
            ParseResponseError::Xml(_) | ParseResponseError::InvalidResponse(_) => Self::Garbage,
        }
    }
}

impl From<SyncCollectionParseError> for PullError {
    fn from(error: SyncCollectionParseError) -> Self {
        match error {
            SyncCollectionParseError::Parse(error) => error.into(),
            SyncCollectionParseError::PreconditionFailed(_) => Self::DeadToken,
        }
    }
}

/// Asks the server at an address.
pub(super) async fn ask<R>(
    server: &impl DavServer,
    address: &Uri,
    request: &R,
) -> Result<R::Response, PullError>
where
    R: DavRequest,
    PullError: From<R::ParseError>,
{
    let prepared = request.prepare_request(address.clone()).map_err(|_| PullError::Garbage)?;
    read(request, server.call(prepared).await?)
}

/// Reads an answer.
pub(super) fn read<R>(request: &R, answer: Response<Bytes>) -> Result<R::Response, PullError>
where
    R: DavRequest,
    PullError: From<R::ParseError>,
{
    let (parts, body) = answer.into_parts();
    if parts.status == http::StatusCode::UNAUTHORIZED {
        return Err(PullError::Password);
    }
    if parts.status.is_redirection() {
        return Err(CallError::Elsewhere.into());
    }
    Ok(request.parse_response(&parts, &body)?)
}
