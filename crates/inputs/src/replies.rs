//! Replies to a confirmation text.

use domain::confirmation::{Answer, ConfirmationCode, Reply, Waiting, read_reply};
use unicode_normalization::UnicodeNormalization;

const CODES: [&str; 3] = ["4821", "0007", "9999"];

pub(crate) fn check(bytes: &[u8]) {
    let Some((&setting, bytes)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(bytes);
    let count = usize::from(setting & 3).min(CODES.len());
    let codes = CODES.into_iter().take(count).filter_map(ConfirmationCode::parse);
    let waiting: Vec<_> = codes
        .enumerate()
        .map(|(order, code)| Waiting { order, code, addressed: setting >> (4 + order) & 1 == 1 })
        .collect();
    let word = setting & 8 != 0;
    let answer = if word { Answer::Word("同意".to_owned()) } else { Answer::Code };
    let reply = read_reply(&text, &answer, &waiting);
    let normal: String = text.nfkc().collect::<String>().to_uppercase();
    match reply {
        // Nobody is charged for an order whose code, or the prescribed word, is not in the text.
        Reply::Confirm(order) => {
            let wanted = if word { "同意" } else { CODES.get(order).copied().unwrap_or_default() };
            assert!(normal.contains(wanted), "{text:?} confirmed {order}");
            assert!(waiting.iter().any(|one| one.order == order));
        }
        Reply::Declined(order) | Reply::Mismatch(order) => {
            assert!(waiting.iter().any(|one| one.order == order), "{text:?} speaks of an order that waits");
        }
        Reply::Unsubscribe | Reply::Unplaced => assert!(!waiting.iter().any(|_| count == 1)),
        Reply::AskForCode | Reply::Help => {}
    }
}
