//! Finds out who calls.

use std::future::Future;
use std::pin::Pin;

use edge::{Authenticate, Caller, Problem};
use store::Store;

use crate::problem::Refused;

/// Looks tokens up in the store.
pub struct Sessions(pub Store);

impl Authenticate for Sessions {
    fn caller<'a>(
        &'a self,
        token: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Caller>, Problem>> + Send + 'a>> {
        let token = token.to_owned();
        Box::pin(async move {
            let found =
                self.0.read::<_, Refused, _>(move |view| Ok(view.contacts().find_session(&token)?)).await;
            let found = found.map_err(Problem::from)?;
            Ok(found.map(|(subscriber, key, session, locale)| Caller { subscriber, key, session, locale }))
        })
    }
}
