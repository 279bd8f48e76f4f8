//! The running server of an installation, called by commands on its own machine.

use std::time::Duration;

use reqwest::StatusCode;
use secrecy::ExposeSecret;
use store::MasterKey;

use crate::config::Config;
use crate::failure::Failure;

/// Whether one answers where this configuration listens.
pub(super) async fn answers(config: &Config) -> bool {
    tokio::net::TcpStream::connect(config.listen).await.is_ok()
}

/// Posts to its operator's interface.
///
/// # Errors
/// A [`Failure`] when it does not answer.
pub(super) async fn post(
    config: &Config,
    path: &str,
    json: Vec<u8>,
) -> Result<(StatusCode, String), Failure> {
    let broken = |error: reqwest::Error| Failure::remote("the running server did not answer").because(&error);
    let client =
        reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(600)).build().map_err(broken)?;
    let url = format!("http://{}{path}", config.listen);
    let json = bytes::Bytes::from(json);
    let mut token = operator_token(config);
    loop {
        let mut request = client.post(&url).header("content-type", "application/json").body(json.clone());
        if let Some(token) = &token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.map_err(broken)?;
        let status = answer.status();
        let text = answer.text().await.map_err(broken)?;
        // The master key, and the token with it, may have been exchanged just now.
        let now = if status == StatusCode::UNAUTHORIZED { operator_token(config) } else { None };
        if now.is_none() || now == token {
            return Ok((status, text));
        }
        token = now;
    }
}

/// What to say of an answer that is no success.
pub(super) fn refusal(what: &str, status: StatusCode, body: String) -> Failure {
    let failure =
        Failure::user(format!("the running server refused {what} with status {status}")).because_of(body);
    if matches!(status.as_u16(), 401 | 403) {
        return failure.hint(
            "Run it with the server's own configuration and key file, or set platform.operator_tokens to one of its tokens.",
        );
    }
    failure
}

/// A configured token, or the one that the key file gives to whoever can read it.
pub(super) fn operator_token(config: &Config) -> Option<String> {
    let configured = config.platform.operator_tokens.first().map(|token| token.expose_secret().to_owned());
    configured.or_else(|| {
        let master = MasterKey::in_file(config.key_file());
        master.load(false, &crate::world::system()).ok()?;
        master.operator_token()
    })
}
