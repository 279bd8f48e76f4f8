//! Rights on tables for the users of roles.

use tokio_postgres::Transaction;

use super::{connect, connection, take};
use crate::error::StoreError;
use crate::roles::{LETTERS, RIGHTS, Role};
use crate::store::OpenError;

/// Why rights were not given.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// There is no such user.
    #[error("there is no user {0} in this PostgreSQL: make it with CREATE ROLE {0} LOGIN PASSWORD '…'")]
    NoUser(String),
    /// Rights say nothing of this user.
    #[error(
        "the user {0} is a superuser or has the tables' owner's rights, so that nothing would be refused to it: name another one"
    )]
    Unbound(String),
    /// The user has more rights than its role, from elsewhere.
    #[error(
        "the user {user} may {right} {table} all the same, through a group or PUBLIC: take that back, or name another user"
    )]
    TooMuch {
        /// The user.
        user: String,
        /// What it may do.
        right: &'static str,
        /// To which table.
        table: String,
    },
    /// The database.
    #[error("the rights cannot be given")]
    Store(#[from] StoreError),
    /// It cannot be connected to.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<tokio_postgres::Error> for GrantError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Store(connection::error(error))
    }
}

/// Gives each user what its roles may do, takes everything else from it, and looks whether that is so.
pub(crate) async fn grant(url: &str, users: &[(Role, String)]) -> Result<(), GrantError> {
    let pool = connect(url)?;
    let mut client = take(&pool).await?;
    let tx = client.transaction().await?;
    let mut names: Vec<&String> = users.iter().map(|(_, user)| user).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let roles: Vec<Role> = users.iter().filter(|(_, user)| user == name).map(|(role, _)| *role).collect();
        grant_to(&tx, name, &roles).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn grant_to(tx: &Transaction<'_>, user: &str, roles: &[Role]) -> Result<(), GrantError> {
    let found = tx
        .query_opt(
            "SELECT quote_ident(r.rolname), quote_ident(current_schema()), pg_has_role(r.oid, c.relowner, 'MEMBER')
             FROM pg_roles r, pg_class c WHERE r.rolname = $1 AND c.oid = CAST('schema_version' AS regclass)",
            &[&user],
        )
        .await?
        .ok_or_else(|| GrantError::NoUser(user.to_owned()))?;
    let (quoted, schema): (String, String) = (found.get(0), found.get(1));
    if found.get::<_, bool>(2) {
        return Err(GrantError::Unbound(user.to_owned()));
    }
    tx.batch_execute(&format!(
        "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {quoted}; GRANT USAGE ON SCHEMA {schema} TO {quoted}"
    ))
    .await?;
    for rights in &RIGHTS {
        let wanted = LETTERS.iter().filter(|(letter, _)| may(roles, rights.table, *letter));
        let wanted: Vec<&str> = wanted.map(|(_, word)| *word).collect();
        if !wanted.is_empty() {
            let (words, table) = (wanted.join(", "), rights.table);
            tx.batch_execute(&format!("GRANT {words} ON {schema}.{table} TO {quoted}")).await?;
        }
    }
    look(tx, user, roles).await
}

/// Whether the user may do nothing that its roles may not, wherever it would have that from.
async fn look(tx: &Transaction<'_>, user: &str, roles: &[Role]) -> Result<(), GrantError> {
    let oid: u32 = tx.query_one("SELECT oid FROM pg_roles WHERE rolname = $1", &[&user]).await?.get(0);
    let (tables, words) = (RIGHTS.map(|rights| rights.table), LETTERS.map(|(_, word)| word));
    let has = "SELECT t.name, w.word FROM unnest($2::text[]) AS t(name), unnest($3::text[]) AS w(word)
      WHERE has_table_privilege($1::oid, t.name, w.word)";
    for row in tx.query(has, &[&oid, &tables.as_slice(), &words.as_slice()]).await? {
        let (table, word): (&str, &str) = (row.get(0), row.get(1));
        let letter = LETTERS.iter().find(|(_, known)| *known == word);
        if let Some((_, right)) = letter.filter(|(letter, _)| !may(roles, table, *letter)) {
            return Err(GrantError::TooMuch { user: user.to_owned(), right, table: table.to_owned() });
        }
    }
    Ok(())
}

fn may(roles: &[Role], table: &str, letter: char) -> bool {
    RIGHTS
        .iter()
        .filter(|rights| rights.table == table)
        .any(|rights| roles.iter().any(|role| rights.of(*role).contains(letter)))
}
