//! `GET, DELETE /v1/me/sessions`, `DELETE /v1/me/sessions/{id}`, `DELETE /v1/session`

use api::Page;
use api::account::Session;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::SessionId;
use domain::key::ContactKey;
use edge::{Caller, Paging, Path, Problem};
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

/// Signs another device out, such as one that was lost; its token stops counting at once.
#[utoipa::path(delete, path = "/v1/me/sessions/{id}", operation_id = "endOtherSession", security(("token" = [])),
    params(("id" = String, Path, format = "uuid", description = "The session's id.")),
    responses((status = 204), (status = 404, description = "There is no such device")))]
pub async fn end_one(
    State(contacts): State<Contacts>,
    caller: Caller,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, Problem> {
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        if !tx.contacts().end_session(caller.key, id)? {
            return Err(Problem::not_found().into());
        }
        Ok(tx.audit().append(&AuditEntry::by(caller.key, AuditAction::SignedOut))?)
    };
    contacts.store.write(write).await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Signs every device out, this one too; all tokens stop counting at once.
#[utoipa::path(delete, path = "/v1/me/sessions", operation_id = "endAllSessions", security(("token" = [])),
    responses((status = 204)))]
pub async fn end_all(State(contacts): State<Contacts>, caller: Caller) -> Result<StatusCode, Problem> {
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        tx.contacts().end_all_sessions(caller.key)?;
        Ok(tx.audit().append(&AuditEntry::by(caller.key, AuditAction::SignedOut))?)
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
