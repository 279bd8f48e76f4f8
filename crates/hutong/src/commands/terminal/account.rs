//! Signing in and out, consents, and what the server holds.

use api::client::Client;
use api::consents::GiveConsent;
use api::registration::{BeginRegistration, ConfirmRegistration};
use domain::Msisdn;
use domain::consent::Consent;
use serde_json::json;
use terminal::memory::Memory;

use super::prompt::{agrees, ask, say};
use super::session::{Session, memory_failure, server_failure};
use crate::failure::Failure;

/// The version of the consent texts below.
const CONSENT_TEXTS: &str = "2026-11";

pub(super) async fn login(session: &Session, number: String, locale: Option<String>) -> Result<(), Failure> {
    let stranger = session.stranger()?;
    let begun =
        stranger.begin_registration(&BeginRegistration { number, locale }).await.map_err(server_failure)?;
    say("A text with a six-digit code is on its way to that phone.");
    let code = ask("Code:")?;
    let confirm =
        ConfirmRegistration { code, device: Some("hutong terminal".to_owned()), consents: Vec::new() };
    let signed_in =
        stranger.confirm_registration(begun.registration_id, &confirm).await.map_err(server_failure)?;
    let number = Msisdn::parse_e164(&signed_in.subscriber.number).map_err(|error| {
        Failure::remote("the server answered with something else than a number").because(&error)
    })?;
    let mut state = session.state.clone();
    state.sign_in(stranger.server_url(), &signed_in.token, number);
    session.memory.save(&state).map_err(memory_failure)?;
    session.print(&signed_in.subscriber, |subscriber| format!("Signed in as {}.\n", subscriber.number))
}

pub(super) async fn status(session: &Session) -> Result<(), Failure> {
    let client = session.client()?;
    let me = client.me().await.map_err(server_failure)?;
    let book = client.book().await.map_err(server_failure)?;
    let shown = json!({ "server": client.server_url(), "me": me, "book": book });
    session.print(&shown, |_| {
        let consents: Vec<&str> = me.consents.iter().map(|given| given.consent.word()).collect();
        let consents = if consents.is_empty() { "none".to_owned() } else { consents.join(", ") };
        format!(
            "{} at {}\nconsents: {consents}\nbook: {} people, version {}\n",
            me.number,
            client.server_url(),
            book.size,
            book.version
        )
    })
}

/// Makes sure of a consent before what needs it: shows the text, and asks where somebody can answer.
/// Answers whether it was given only now.
pub(super) async fn ensure_consent(client: &Client, consent: Consent) -> Result<bool, Failure> {
    let me = client.me().await.map_err(server_failure)?;
    if me.consents.iter().any(|given| given.consent == consent) {
        return Ok(false);
    }
    say(text_of(consent));
    if !agrees("Do you allow that?")? {
        return Err(Failure::user("nothing was sent: it needs that consent"));
    }
    give(client, consent).await?;
    Ok(true)
}

async fn give(client: &Client, consent: Consent) -> Result<(), Failure> {
    let body = GiveConsent { version: Some(CONSENT_TEXTS.to_owned()) };
    client.give_consent(consent, &body).await.map_err(server_failure)
}

fn text_of(consent: Consent) -> &'static str {
    match consent {
        Consent::Upload => {
            "Your contacts' mobile numbers (no names) are sent to the server, which keeps them only in a keyed form and \
             uses them for one thing: to find people who also have your number. Take it back any time with \
             `hutong terminal consent upload --take-back`; the server then deletes your book."
        }
        Consent::Subscriptions => {
            "The server keeps a list of the services you subscribe to, in step with the operator. Nobody sees any of \
             them until you share it. Take it back with `hutong terminal consent subscriptions --take-back`."
        }
        Consent::Recommendations => "The server may compute which plan would suit you, from your own usage.",
    }
}

pub(super) async fn consent(session: &Session, consent: Consent, take_back: bool) -> Result<(), Failure> {
    let client = session.client()?;
    if take_back {
        client.take_back_consent(consent).await.map_err(server_failure)?;
    } else {
        say(text_of(consent));
        give(&client, consent).await?;
    }
    let word = if take_back { "taken back" } else { "given" };
    let shown = json!({ "consent": consent, "given": !take_back });
    session.print(&shown, |_| format!("The consent \"{}\" is {word}.\n", consent.word()))
}

pub(super) async fn hide(session: &Session, number: &str, hide: bool) -> Result<(), Failure> {
    let client = session.client()?;
    let done = if hide { client.hide(number).await } else { client.unhide(number).await };
    done.map_err(server_failure)?;
    let word = if hide { "cannot see each other" } else { "may see each other again, while you match" };
    session.print(&json!({ "hidden": hide }), |_| format!("You two {word}.\n"))
}

pub(super) async fn export(session: &Session) -> Result<(), Failure> {
    let held = session.client()?.export().await.map_err(server_failure)?;
    session.print(&held, |held| serde_json::to_string_pretty(held).unwrap_or_default() + "\n")
}

pub(super) async fn forget_me(session: &Session, yes: bool) -> Result<(), Failure> {
    let client = session.client()?;
    if !yes
        && !agrees(
            "Your account, book, shares and orders are deleted and cannot be got back, and what you subscribe to ends. Go on?",
        )?
    {
        return Err(Failure::user("nothing was deleted"));
    }
    client.forget_me().await.map_err(server_failure)?;
    forget_locally(session)?;
    session.print(&json!({ "forgotten": true }), |_| "The server has forgotten you.\n".to_owned())
}

pub(super) async fn logout(session: &Session) -> Result<(), Failure> {
    session.client()?.sign_out().await.map_err(server_failure)?;
    forget_locally(session)?;
    session.print(&json!({ "signed_out": true }), |_| "Signed out.\n".to_owned())
}

fn forget_locally(session: &Session) -> Result<(), Failure> {
    let mut state = session.state.clone();
    state.sign_out();
    session.memory.save(&state).map_err(memory_failure)
}
