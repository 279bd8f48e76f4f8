//! What can go wrong between a terminal and its server, in sentences for a person.

use crate::problem::{Code, Problem};

/// Why a call has no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server refused; it says why.
    #[error("{}", problem.detail)]
    Problem {
        /// What it said.
        problem: Box<Problem>,
        /// When to try again, in seconds, if it said so.
        retry_after_s: Option<u64>,
    },
    /// Nobody answered.
    #[error(
        "the server at {server} cannot be reached; check the address, the network, and that it is running"
    )]
    Unreachable {
        /// Its host and port.
        server: String,
        /// The cause underneath.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The connection broke or fell silent before the whole answer was there.
    #[error("the server's answer did not arrive in time or broke off; try again")]
    Interrupted(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Something answered, but not as a Hutong server does.
    #[error(
        "what answers there (status {status}) is not a Hutong server: {what}; check the address, or a proxy on the way"
    )]
    NotHutong {
        /// The HTTP status.
        status: u16,
        /// What was wrong with the answer.
        what: &'static str,
    },
    /// The server sends us elsewhere; a token is never carried along.
    #[error(
        "the server wants to be called at another address ({location}); redirects are not followed, so give that address yourself if you trust it"
    )]
    Redirected {
        /// Where to.
        location: String,
    },
    /// The server's address cannot be used.
    #[error("the server's address must look like https://hutong.example or http://127.0.0.1:8080")]
    Address,
    /// Something typed cannot be put into a request.
    #[error("the {0} holds characters that cannot be sent")]
    Unsendable(&'static str),
    /// This program is not set up for it.
    #[error("this program cannot open connections: {0}")]
    Setup(&'static str),
}

impl ClientError {
    /// The problem's code, if it is a problem with a code known here.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Problem { problem, .. } => problem.known_code(),
            _ => None,
        }
    }

    /// Whether the same call may succeed later with nothing changed.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Problem { problem, .. } => {
                matches!(problem.status, 429 | 502..=504) || self.code() == Some(Code::IdempotencyRunning)
            }
            Self::Unreachable { .. } | Self::Interrupted(_) => true,
            Self::NotHutong { status, .. } => matches!(status, 502..=504),
            Self::Redirected { .. } | Self::Address | Self::Unsendable(_) | Self::Setup(_) => false,
        }
    }
}
