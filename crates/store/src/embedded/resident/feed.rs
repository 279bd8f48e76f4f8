//! A feed from memory: the same rule as that of rows.

use domain::catalogue::OfferingId;
use domain::key::ContactKey;
use jiff::Timestamp;

use super::Resident;
use super::people::{Share, ShownCard};
use crate::error::StoreError;
use crate::friends::{FeedItem, FeedPage};
use crate::keys::Keys;

/// A share that the viewer may see.
struct Found<'a> {
    friend: u64,
    share: &'a Share,
    offering: &'a str,
    card: &'a ShownCard,
}

/// O(friends and their shares), and what the page holds.
pub(super) fn read(
    resident: &Resident,
    page: &FeedPage<'_>,
    keys: &Keys,
) -> Result<Vec<FeedItem>, StoreError> {
    let (viewer, people, numbers) = (page.viewer.value(), &resident.people, page.numbers());
    let wanted = page.filter.offering.as_ref().map(OfferingId::as_str);
    let mut found = Vec::new();
    let mut look = |friend: u64| {
        let Some(owner) = people.owner(friend) else { return };
        for share in owner.shares.iter().filter(|share| numbers.contains(&share.no)) {
            let Some((offering, card)) = people.visible(owner, share, viewer) else { continue };
            if wanted.is_none_or(|wanted| wanted == offering) {
                found.push(Found { friend, share, offering, card });
            }
        }
    };
    match page.filter.friend.map(ContactKey::value) {
        Some(friend) if resident.matches.is_match(viewer, friend) => look(friend),
        Some(_) => {}
        None => resident.matches.matches_of(viewer).into_iter().flatten().for_each(look),
    }
    if found.len() > page.count {
        found.select_nth_unstable_by_key(page.count, |one| std::cmp::Reverse(one.share.no));
        found.truncate(page.count);
    }
    found.sort_unstable_by_key(|one| std::cmp::Reverse(one.share.no));
    let mine = people.owner(viewer);
    let item = |Found { friend, share, offering, card }: Found<'_>| {
        let owner = ContactKey::from_value(friend);
        Ok(FeedItem {
            share: share.no,
            owner,
            number: keys.number_of(owner)?,
            since: Timestamp::from_millisecond(share.since)
                .map_err(|_| StoreError::damaged("a time out of range"))?,
            card: card.card.clone().ok_or_else(|| StoreError::damaged("a card that cannot be read"))?,
            mine: mine.is_some_and(|mine| mine.has(offering)),
            seen: people.seen(share.no, viewer),
        })
    };
    found.into_iter().map(item).collect()
}
