//! The person's own CardDAV server, over HTTP.
//!
//! The password comes from a variable, a file, or an answer to a question: never from the command line, where
//! everybody on the machine reads it, and it is written down nowhere.

use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::Region;
use futures::StreamExt;
use http::{Request, Response, Uri};
use reqwest::Url;
use reqwest::redirect::{Attempt, Policy};
use terminal::carddav::{
    CallError, DavServer, Mirror, PullAndRememberError, PullError, Pulled, pull, pull_and_remember,
};
use terminal::memory::Memory;
use terminal::read::FILE_BYTES_MAX;
use terminal::scan::Scan;

use super::prompt::{ask, ask_secret};
use super::session::memory_failure;
use crate::failure::Failure;

/// Where the password is looked for first.
const PASSWORD: &str = "HUTONG_CARDDAV_PASSWORD";
const CONNECT_S_MAX: u64 = 10;
/// A server that sends nothing for so long has stopped.
const SILENCE_S_MAX: u64 = 30;
/// Redirects from a well-known place to the real one, on the same server.
const REDIRECTS_MAX: usize = 5;
/// A password is a line.
const PASSWORD_BYTES_MAX: u64 = 4_096;

/// Its flags.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// Pulls the address books of your own CardDAV server instead of reading files.
    #[arg(long, value_name = "URL", conflicts_with = "files")]
    carddav: Option<String>,
    /// Your name there, where the address does not say it.
    #[arg(long, value_name = "NAME", requires = "carddav")]
    carddav_user: Option<String>,
    /// A file with your password there; else the variable HUTONG_CARDDAV_PASSWORD, else it is asked for.
    #[arg(long, value_name = "FILE", requires = "carddav")]
    carddav_password_file: Option<PathBuf>,
}

impl Args {
    /// Whether a server is to be pulled.
    pub(super) fn is_given(&self) -> bool {
        self.carddav.is_some()
    }

    /// Pulls the books and scans them; with a memory only what changed is fetched, and it is remembered.
    pub(super) async fn scan(&self, region: Region, memory: Option<&impl Memory>) -> Result<Scan, Failure> {
        let mut url = self.address()?;
        let user = self.user(&url)?;
        let server = OverHttp::new(&user, self.password()?)?;
        // The name is no part of the place.
        let _ = url.set_username("");
        let address: Uri = url.as_str().parse().map_err(|_| no_address())?;
        let pulled = match memory {
            Some(memory) => pull_and_remember(&server, memory, &address, &user).await.map_err(failure),
            None => {
                let mut mirror = Mirror::default();
                let pulled = pull(&server, &address, &user, &mut mirror).await;
                pulled.map(|pulled| (pulled, mirror)).map_err(|error| failure(error.into()))
            }
        };
        let (pulled, mirror) = pulled?;
        say(pulled);
        let mut scan = Scan::default();
        scan.add(url.as_str(), &mirror.to_file(), region);
        Ok(scan)
    }

    fn address(&self) -> Result<Url, Failure> {
        let url = self.carddav.as_deref().and_then(|text| Url::parse(text).ok()).ok_or_else(no_address)?;
        if url.password().is_some() {
            return Err(Failure::user("the address holds a password, which others on this machine can read")
                .hint(format!("Leave it out; put it into {PASSWORD} or a file.")));
        }
        let host = url.host_str().ok_or_else(no_address)?.trim_matches(['[', ']']);
        let on_this_machine =
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        match url.scheme() {
            "https" => Ok(url),
            "http" if on_this_machine => Ok(url),
            "http" => Err(Failure::user("over http everybody on the way could read your password")
                .hint("Give the server's https address.")),
            _ => Err(no_address()),
        }
    }

    fn user(&self, url: &Url) -> Result<String, Failure> {
        match (&self.carddav_user, url.username()) {
            (Some(user), _) => Ok(user.clone()),
            (None, "") => ask("Your name at the CardDAV server:"),
            (None, user) => Ok(user.to_owned()),
        }
    }

    fn password(&self) -> Result<String, Failure> {
        if let Some(file) = &self.carddav_password_file {
            return read_line(file).map_err(|error| {
                Failure::user(format!("the password cannot be read from {}", file.display())).because(&error)
            });
        }
        match std::env::var(PASSWORD) {
            Ok(password) => Ok(password),
            Err(_) => ask_secret("Your password at the CardDAV server:"),
        }
    }
}

fn read_line(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(file)?.take(PASSWORD_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn no_address() -> Failure {
    Failure::user("this is no address of a CardDAV server")
        .hint("Write https://server/ with what follows it.")
}

fn say(pulled: Pulled) {
    let Pulled { books, cards, changed, removed, fetched, whole } = pulled;
    let listed = if whole { "listed whole" } else { "changes alone" };
    super::prompt::say(&format!(
        "CardDAV: {books} address books, {cards} cards; {changed} new or changed, {removed} gone ({listed}, {fetched} fetched)"
    ));
}

fn failure(error: PullAndRememberError) -> Failure {
    match error {
        PullAndRememberError::Memory(error) => memory_failure(error),
        PullAndRememberError::Pull(error) => match &error {
            PullError::Password => Failure::user(error.to_string()).hint(
                "Correct the name or the password; some servers want a password for this program alone.",
            ),
            PullError::NoBook | PullError::Call(CallError::Elsewhere) => Failure::user(error.to_string()),
            _ => Failure::remote("the CardDAV server did not give its address books")
                .because(&error)
                .hint("Nothing has changed here; try again, and it goes on where it stopped."),
        },
    }
}

/// A server reached by HTTP.
struct OverHttp {
    http: reqwest::Client,
    user: String,
    password: String,
}

impl OverHttp {
    fn new(user: &str, password: String) -> Result<Self, Failure> {
        // The first in the process wins; a second one is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(CONNECT_S_MAX))
            .read_timeout(Duration::from_secs(SILENCE_S_MAX))
            .redirect(Policy::custom(on_the_same_server))
            .build()
            .map_err(|error| Failure::user("the HTTP client cannot start").because(&error))?;
        Ok(Self { http, user: user.to_owned(), password })
    }

    async fn send(&self, request: Request<String>) -> Result<Response<Bytes>, CallError> {
        let broken = |error: reqwest::Error| CallError::Broken(Box::new(error.without_url()));
        let (parts, body) = request.into_parts();
        let call = self.http.request(parts.method, parts.uri.to_string()).headers(parts.headers);
        let answer =
            call.basic_auth(&self.user, Some(&self.password)).body(body).send().await.map_err(broken)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut bytes = BytesMut::new();
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            bytes.extend_from_slice(&chunk.map_err(broken)?);
            if bytes.len() > FILE_BYTES_MAX {
                return Err(CallError::TooLarge);
            }
        }
        let mut response = Response::new(bytes.freeze());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// A password travels to no other server: where one is named, the redirect itself is the answer.
fn on_the_same_server(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let same = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
    if same && attempt.previous().len() <= REDIRECTS_MAX { attempt.follow() } else { attempt.stop() }
}

impl DavServer for OverHttp {
    async fn call(&self, request: Request<String>) -> Result<Response<Bytes>, CallError> {
        self.send(request).await
    }
}
