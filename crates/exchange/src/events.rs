//! `GET /v1/events`: server-sent events, durable and resumable.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::Code;
use api::events::{Happening, MatchChanged, ShareChanged};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use domain::ids::OrderId;
use domain::key::ContactKey;
use domain::limits;
use domain::order::{Progress, Reason};
use domain::world::after_seconds;
use edge::{Caller, NoQuery, Problem};
use futures::Stream;
use jiff::Timestamp;
use store::exchange::{EventKind, StreamEvent};
use store::{StoreError, View};
use tokio::sync::broadcast;

use crate::problem::Refused;
use crate::{Exchange, shown};

/// Events read from the store at once.
const BATCH: usize = 100;
/// How often a stream looks by itself: another process may have added to it.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How many streams each subscriber holds open in this process.
#[derive(Default)]
pub(crate) struct Streams(Mutex<HashMap<ContactKey, i64>>);

/// One open stream; closing it frees its place.
struct Place {
    streams: Arc<Streams>,
    key: ContactKey,
}

impl Streams {
    fn open(self: &Arc<Self>, key: ContactKey) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(key).or_default();
        if *count >= limits::STREAMS_MAX {
            return None;
        }
        *count += 1;
        Some(Place { streams: Arc::clone(self), key })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count <= 0 {
                open.remove(&self.key);
            }
        }
    }
}

/// Streams what happens to the caller's orders, matches and feed.
///
/// `Last-Event-ID` goes on where an earlier stream ended, `0` with the oldest event that is kept; without
/// it the stream begins now. After an id that is no longer kept, or never was, comes first a `reset`, which
/// says that orders, matches and feed are to be read anew, and then all that is kept.
#[utoipa::path(get, path = "/v1/events", operation_id = "followEvents", security(("token" = [])),
    params(("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen.")),
    responses((status = 200, body = inline(api::events::StreamEvent), content_type = "text/event-stream"),
        (status = 429, description = "Too many open event streams")))]
pub async fn events(
    State(exchange): State<Exchange>,
    caller: Caller,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let place = exchange.streams.open(caller.key).ok_or_else(|| {
        let detail = format!("Close one of your {} open streams first.", limits::STREAMS_MAX);
        Problem::new(Code::EventsTooManyStreams, detail).retry_after_s(10)
    })?;
    // Listening begins before the first look, so that no event falls in between.
    let signal = exchange.store.events_signal();
    let last_seen = headers.get("last-event-id").map(|id| id.to_str().unwrap_or("").trim());
    let (seen, reset) = match last_seen {
        Some("0") => (Vec::new(), false),
        Some(id) => resume(id, exchange.world.now()).map_or((Vec::new(), true), |seen| (vec![seen], false)),
        None => {
            let read = exchange
                .store
                .read::<_, Refused, _>(move |view| Ok(view.exchange().newest_places(caller.key)?));
            (read.await.map_err(Problem::from)?, false)
        }
    };
    let ready = if reset { vec![(0, Happening::Reset)] } else { Vec::new() };
    let mut seen_to = SeenTo::default();
    seen.into_iter().for_each(|place| seen_to.see(place));
    let stream = Follow { exchange, caller, seen_to, signal, ready, _place: place };
    let stream = futures::stream::unfold(stream, |mut stream| async move {
        let event = stream.next().await?;
        Some((Ok(event), stream))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// The place after which a stream goes on; `None` for an id that cannot be one of those kept. It is the id
/// and the clock that decide, and no row: what is kept about others must not show.
fn resume(id: &str, now: Timestamp) -> Option<i64> {
    let seen = id.parse().ok()?;
    let at = StreamEvent::moment(seen)?;
    let oldest = after_seconds(now, -limits::EVENTS_KEEP_DAYS * 86_400);
    // Clocks of two processes may differ a little.
    (oldest..=after_seconds(now, 60)).contains(&at).then_some(seen)
}

/// How far a stream was seen. Another event can still come into the newest millisecond, at any of its places:
/// what was seen of that is known one by one. An id alone says less, so that whoever comes back with it may
/// get some events of its millisecond again; those about orders never go backwards.
#[derive(Default)]
struct SeenTo {
    millisecond: i64,
    own: i64,
    others: BTreeSet<i64>,
}

impl SeenTo {
    fn see(&mut self, place: i64) {
        let millisecond = StreamEvent::millisecond(place);
        if millisecond > self.millisecond {
            *self = Self { millisecond, own: millisecond - 1, others: BTreeSet::new() };
        }
        if StreamEvent::is_own(place) {
            self.own = self.own.max(place);
        } else {
            self.others.insert(place);
        }
    }
}

struct Follow {
    exchange: Exchange,
    caller: Caller,
    seen_to: SeenTo,
    signal: broadcast::Receiver<ContactKey>,
    ready: Vec<(i64, Happening)>,
    _place: Place,
}

impl Follow {
    /// The next event; `None` ends the stream, and the client comes back with its last id.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((seq, happening)) = self.ready.pop() {
                let data = happening.data().ok()?;
                return Some(Event::default().id(seq.to_string()).event(happening.name()).data(data));
            }
            if !self.look().await.ok()? {
                let key = self.caller.key;
                let heard = async { while self.signal.recv().await.is_ok_and(|other| other != key) {} };
                let _ = tokio::time::timeout(LOOK_EVERY, heard).await;
            }
        }
    }

    /// Reads on; `false` when there was nothing.
    async fn look(&mut self) -> Result<bool, StoreError> {
        let caller = self.caller;
        let SeenTo { millisecond, own, ref others } = self.seen_to;
        let (count, others) = (BATCH + others.len(), others.clone());
        let keys = self.exchange.store.keys().clone();
        let read = move |view: &mut View<'_>| -> Result<_, StoreError> {
            let mut events = view.exchange().list_events(caller.key, millisecond, own, count)?;
            events.retain(|event| !others.contains(&event.seq));
            let places: Vec<i64> = events.iter().map(|event| event.seq).collect();
            let mut ready = Vec::new();
            for event in events.into_iter().rev() {
                let seq = event.seq;
                if let Some(happening) = read_happening(view, &keys, &caller, event)? {
                    ready.push((seq, happening));
                }
            }
            // A token that was signed out, or a person who left, has no stream.
            let signed_in = view.contacts().is_signed_in(caller.key, caller.session)?;
            Ok((signed_in, places, ready))
        };
        let (known, places, ready) = self.exchange.store.read(read).await?;
        if !known {
            return Err(StoreError::new(store::Kind::Unavailable, "the subscriber has left"));
        }
        self.ready = ready;
        places.iter().for_each(|place| self.seen_to.see(*place));
        Ok(!places.is_empty())
    }
}

/// What an event says to its owner now; `None` when it is about what they may no longer see.
fn read_happening(
    view: &mut View<'_>,
    keys: &store::Keys,
    caller: &Caller,
    event: StreamEvent,
) -> Result<Option<Happening>, StoreError> {
    let at = event.at;
    Ok(match event.kind {
        EventKind::Order => {
            let id = event.data["order"].as_str().and_then(|id| id.parse::<OrderId>().ok());
            let order = id.map(|id| view.exchange().find_order(caller.key, id)).transpose()?.flatten();
            let Some(mut order) = order else { return Ok(None) };
            order.state = event.data["state"].as_str().and_then(Progress::parse).unwrap_or(order.state);
            order.reason = event.data["reason"].as_str().and_then(Reason::parse);
            Some(Happening::Order(shown::order(view, order, caller.locale)?))
        }
        EventKind::Match => event
            .friend
            .map(|number| Happening::Match(MatchChanged { number: number.e164(), matched: true, at })),
        EventKind::Share => {
            let share = event.data["share"].as_i64();
            let item =
                share.map(|share| view.friends().find_feed_item(caller.key, share)).transpose()?.flatten();
            item.map(|item| {
                let (share_id, friend) = (item.share_id(keys, caller.key), item.number.e164());
                Happening::Share(ShareChanged { share_id, friend, shared: true, at })
            })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_newest_millisecond_it_is_known_one_by_one_what_was_seen() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let first = StreamEvent::first_place(now);
        let late = StreamEvent::first_place(after_seconds(now, 1)) - 1;
        assert!(StreamEvent::is_own(first) && !StreamEvent::is_own(late));
        let mut seen_to = SeenTo::default();
        for place in [first + 1, late, late - 7] {
            seen_to.see(place);
        }
        assert_eq!(
            (seen_to.millisecond, seen_to.own),
            (StreamEvent::millisecond(late), StreamEvent::millisecond(late) - 1)
        );
        assert_eq!(seen_to.others, BTreeSet::from([late, late - 7]));
        seen_to.see(StreamEvent::millisecond(late));
        assert_eq!(seen_to.own, StreamEvent::millisecond(late));
    }

    #[test]
    fn a_stream_goes_on_after_what_may_be_kept_and_after_nothing_else() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let place = |at: Timestamp| StreamEvent::first_place(at);
        let day = |days: i64| after_seconds(now, days * 86_400);
        for at in [now, day(-1), day(-limits::EVENTS_KEEP_DAYS), after_seconds(now, 59)] {
            assert_eq!(resume(&place(at).to_string(), now), Some(place(at)));
        }
        for at in [day(1), day(-limits::EVENTS_KEEP_DAYS - 1), Timestamp::UNIX_EPOCH] {
            assert_eq!(resume(&place(at).to_string(), now), None);
        }
        for id in ["", "seven", "-1", "7", "1.5", "99999999999999999999", "9223372036854775807"] {
            assert_eq!(resume(id, now), None, "{id}");
        }
    }
}
