//! `GET /v1/me/sessions`, `DELETE /v1/session`

use api::Page;
use api::account::Session;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::SessionId;
use domain::key::ContactKey;
use edge::{Caller, Paging, Problem};
use store::audit::{AuditAction, AuditEntry};
use store::{Tx, View};

use crate::Contacts;
use crate::problem::Refused;

/// Lists the signed-in devices.
#[utoipa::path(get, path = "/v1/me/sessions", operation_id = "listSessions", security(("token" = [])), params(edge::PagingParams),
    responses((status = 200, body = Page<Session>)))]
pub async fn list(
    State(contacts): State<Contacts>,
    caller: Caller,
    paging: Paging,
) -> Result<Json<Page<Session>>, Problem> {
    let read =
        contacts.store.read::<_, Refused, _>(move |view| read_sessions(view, caller.key, caller.session));
    Ok(Json(paging.cut(read.await.map_err(Problem::from)?, |session: &Session| session.id)?))
}

/// Signs this device out; its token stops counting at once.
#[utoipa::path(delete, path = "/v1/session", operation_id = "endSession", security(("token" = [])),
    responses((status = 204)))]
pub async fn end(State(contacts): State<Contacts>, caller: Caller) -> Result<StatusCode, Problem> {
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        if tx.contacts().end_session(caller.key, caller.session)? {
            tx.audit().append(&AuditEntry::by(caller.key, AuditAction::SignedOut))?;
        }
        Ok(())
    };
    contacts.store.write(write).await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn read_sessions(
    view: &mut View<'_>,
    key: ContactKey,
    current: SessionId,
) -> Result<Vec<Session>, Refused> {
    let shown = |row: store::contacts::SessionRow| Session {
        id: row.id,
        device: row.device,
        since: row.created,
        current: row.id == current,
    };
    Ok(view.contacts().list_sessions(key)?.into_iter().map(shown).collect())
}
