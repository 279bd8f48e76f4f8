//! `hutong audit list`: what the log says of a number or an order, or last of all.

use std::io::Write;

use domain::ids::ProductOrderId;
use domain::number;
use store::audit::AuditRow;
use store::platform::OrderRow;
use store::{StoreError, View};

use super::{look, unreadable};
use crate::config::ConfigArgs;
use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Whose {
    /// The person with this number.
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// The order with this id, the platform's or the exchange's.
    #[arg(long, value_name = "ID")]
    order: Option<String>,
    /// The newest entries of all.
    #[arg(long, value_name = "COUNT", default_value_t = NEWEST, value_parser = clap::value_parser!(u32).range(1..=NEWEST_MAX))]
    newest: u32,
}

/// Entries shown when nothing is asked for, and at most.
const NEWEST: u32 = 50;
const NEWEST_MAX: i64 = 100_000;

#[derive(serde::Serialize)]
struct Line<'a> {
    at: jiff::Timestamp,
    actor: &'a str,
    action: &'a str,
    detail: serde_json::Value,
    chain: i64,
    row: i64,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let (config, store) = look(&args.config).await?;
    let key = match &args.whose.number {
        Some(raw) => {
            let number = number::read_own(raw, config.default_region);
            let number =
                number.map_err(|refusal| Failure::user("the number cannot be read").hint(refusal.hint()))?;
            Some(store.keys().contact_key(number))
        }
        None => None,
    };
    let (order, newest) = (args.whose.order, args.whose.newest);
    let rows = store
        .read::<_, StoreError, _>(move |view| match (key, &order) {
            (Some(key), _) => view.audit().list_of_person(key),
            (None, Some(order)) => match find_order(view, order)? {
                Some(row) => view.audit().list_of_order(row.customer, row.id, row.product),
                None => Ok(Vec::new()),
            },
            (None, None) => view.audit().list_newest(newest as usize),
        })
        .await
        .map_err(|error| unreadable(&error))?;
    let text: String = rows.iter().map(|row| line(row) + "\n").collect();
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::stdout(&error))
}

fn find_order(view: &mut View<'_>, id: &str) -> Result<Option<OrderRow>, StoreError> {
    let mut platform = view.platform();
    let own = id.parse::<ProductOrderId>().ok().map(|id| platform.find_order(id)).transpose()?.flatten();
    own.map_or_else(|| platform.find_order_by_external_id(id), |row| Ok(Some(row)))
}

fn line(row: &AuditRow) -> String {
    let line = Line {
        at: row.moment(),
        actor: &row.actor,
        action: &row.action,
        detail: serde_json::from_str(&row.detail).unwrap_or_default(),
        chain: row.chain,
        row: row.seq,
    };
    serde_json::to_string(&line).unwrap_or_default()
}
