//! `POST /operator/v1/keys/rotate`

use api::Code;
use axum::extract::State;
use axum::http::StatusCode;
use edge::operator::Operator;
use edge::{NoQuery, Problem};
use store::audit::Actor;
use store::{Kind, RotateError};

use crate::Operators;
use crate::problem::Refused;

/// Exchanges the master key in the key file while everything goes on; the token that the file gave is worth
/// nothing afterwards.
#[utoipa::path(post, path = "/operator/v1/keys/rotate", security(("operator" = [])),
    responses((status = 204), (status = "default", body = api::Problem)))]
pub(crate) async fn rotate(
    State(operators): State<Operators>,
    operator: Operator,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let actor = Actor::Operator(operator.name().to_owned());
    // A rotation that is begun is ended, whether or not whoever asked for it stays.
    let rotation = tokio::spawn(async move { operators.store.rotate_master_key(actor).await });
    rotation.await.map_err(Problem::internal)?.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}

fn problem(error: RotateError) -> Problem {
    let code = match error {
        RotateError::Store(error) if error.kind() == Kind::NotAllowed => {
            let detail = "The user under which this server runs may not exchange the master key. Run 'hutong keys rotate' as the user whose the database is.";
            return Problem::new(Code::OperatorNotPossible, detail).because(error);
        }
        RotateError::Store(error) => return Refused::from(error).into(),
        RotateError::KeyFile(_) => Code::OperatorKeyFile,
        RotateError::Busy | RotateError::Meanwhile => Code::OperatorKeysMeanwhile,
        RotateError::Unfinished => Code::OperatorKeysUnfinished,
    };
    // These sentences say what to do, and hold no secret: an operator may read where the key file is.
    Problem::new(code, sentence(&error)).because(error)
}

fn sentence(error: &RotateError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
