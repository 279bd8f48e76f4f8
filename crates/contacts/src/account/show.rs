//! `GET /v1/me`

use api::account::Me;
use api::consents::ConsentShown;
use axum::Json;
use axum::extract::State;
use domain::key::ContactKey;
use edge::{Caller, NoQuery, Problem};
use store::View;

use crate::Contacts;
use crate::problem::{Refused, signed_out};

/// Shows the account to its owner.
#[utoipa::path(get, path = "/v1/me", operation_id = "showMe", security(("token" = [])),
    responses((status = 200, body = Me)))]
pub async fn show(State(contacts): State<Contacts>, caller: Caller, _: NoQuery) -> Result<Json<Me>, Problem> {
    let read = contacts.store.read::<_, Refused, _>(move |view| read_me(view, caller.key));
    read.await.map(Json).map_err(Problem::from)
}

/// Reads what `/v1/me` and the export both show.
pub(super) fn read_me(view: &mut View<'_>, key: ContactKey) -> Result<Me, Refused> {
    let subscriber = view.contacts().find_subscriber(key)?.ok_or_else(signed_out)?;
    let consents = view.contacts().list_consents(key)?.into_iter().map(|given| ConsentShown {
        consent: given.consent,
        since: given.given,
        version: Some(given.version).filter(|version| !version.is_empty()),
    });
    Ok(Me {
        id: subscriber.id,
        number: subscriber.number.e164(),
        locale: subscriber.locale,
        since: subscriber.since,
        consents: consents.collect(),
    })
}
