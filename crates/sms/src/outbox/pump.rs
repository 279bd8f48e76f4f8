//! Takes texts as they come due and sends several at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::ids::TextId;
use domain::limits;
use jiff::Timestamp;
use smpp::{Address, BindConfig, Closed, Refusal, Session, Submit, SubmitError, text};
use store::StoreError;
use store::failpoints::{self, Point};
use store::texts::{OutboundText, TextState};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{self, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::policy::{Verdict, after_failure};
use super::recover::reclaim;
use crate::centre::Post;
use crate::role::Room;

/// How long the pump sleeps when nothing tells it to wake: another process may have queued a text.
const NAP: Duration = Duration::from_secs(1);
/// The least nap, so that a clock that stands does not make it spin.
const NAP_LEAST: Duration = Duration::from_millis(10);
/// Texts of one bind that were answered and whose outcome is being written down: while they are, others fly.
const LANDING_MAX: usize = 256;
/// Texts marked sent that wait for their turn on the wire, so that it is busy during the commit that marks the next.
/// A kill leaves the outcome of each unknown, so there are few: what leaves in a twentieth of a second.
const AHEAD_MAX: u32 = 32;
/// What has not begun to leave by then goes back into the queue: another process may take it for lost once its lease
/// has ended, and until then it must be answered too.
const LEAVE_WITHIN: Duration = Duration::from_secs(limits::TEXT_LEASE_S.unsigned_abs() / 2);
/// How long what is in hand gets to be written down at the end.
const FINISH: Duration = Duration::from_secs(5);

/// Why the pump stopped.
pub(crate) enum Ended {
    /// It was told to.
    Stopped,
    /// The session ended.
    Closed(Closed),
}

/// Sends texts over one session after another.
pub(crate) struct Pump {
    room: Arc<Room>,
    post: Arc<Post>,
    /// The window and what waits before it: each text holds a slot until it is answered.
    slots: Arc<Semaphore>,
    /// Texts in hand at most.
    room_for: usize,
    /// Texts in hand, over the sessions' ends: each stays until its outcome is written down.
    flying: JoinSet<()>,
    in_hand: HashMap<task::Id, TextId>,
    /// Whether the last take left something, as far as is known.
    more: bool,
}

impl Pump {
    pub(crate) fn new(room: Arc<Room>, post: Arc<Post>) -> Self {
        let BindConfig { window, rate_per_s, .. } = post.centre.config.bind;
        let ahead = if rate_per_s == 0 { AHEAD_MAX } else { (rate_per_s / 20).min(AHEAD_MAX) };
        let unanswered = if post.kind.sends() { window.max(1) + ahead as usize } else { 0 };
        let slots = Arc::new(Semaphore::new(unanswered));
        let room_for = unanswered + LANDING_MAX;
        Self { room, post, slots, room_for, flying: JoinSet::new(), in_hand: HashMap::new(), more: false }
    }

    /// Sends what is due until the session ends or the role shall stop.
    pub(crate) async fn run(&mut self, session: &Session, stopping: &CancellationToken) -> Ended {
        let (slots, mut signal) = (Arc::clone(&self.slots), self.room.store.texts_signal());
        loop {
            signal.mark_unchanged();
            let nap = self.launch(session).await;
            if let Some(rate) = self.post.rate.recover(Instant::now()) {
                session.set_rate(rate);
            }
            self.post.gauge("sms_window_in_use", session.window_in_use() as f64);
            self.post.gauge("sms_rate_per_s", self.post.rate.now().into());
            tokio::select! {
                biased;
                () = stopping.cancelled() => return Ended::Stopped,
                reason = session.closed() => return Ended::Closed(reason),
                Some(done) = self.flying.join_next_with_id(), if !self.flying.is_empty() => {
                    self.landed(done);
                    // Those that came down together make room for one commit.
                    while let Some(done) = self.flying.try_join_next_with_id() {
                        self.landed(done);
                    }
                }
                () = free_slot(&slots), if self.flies_full() => {}
                _ = signal.changed(), if self.free() > 0 => {}
                () = rest(nap) => {}
            }
        }
    }

    /// Waits for what is in hand, and gives up what cannot be written down in time: it is still marked
    /// sent, and the next start finds it.
    pub(crate) async fn finish(mut self) {
        let all = async { while self.flying.join_next().await.is_some() {} };
        if tokio::time::timeout(FINISH, all).await.is_err() {
            tracing::warn!(sms.texts = self.flying.len(), "texts in hand were left to the next start");
            self.flying.shutdown().await;
        }
    }

    /// Texts that may be taken now.
    fn free(&self) -> usize {
        self.slots.available_permits().min(self.room_for.saturating_sub(self.flying.len()))
    }

    /// Whether the next answer makes room for another text.
    fn flies_full(&self) -> bool {
        self.slots.available_permits() == 0 && self.flying.len() < self.room_for
    }

    fn landed(&mut self, done: Result<(task::Id, ()), task::JoinError>) {
        let id = done.map_or_else(
            |error| {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "sending a text failed in a way that is a mistake in this program"
                );
                self.room.hands.doubt();
                error.id()
            },
            |(id, ())| id,
        );
        if let Some(text) = self.in_hand.remove(&id) {
            self.room.hands.lay_down(text);
        }
    }

    /// Sends what is due and fits; tells how long to wait for more.
    async fn launch(&mut self, session: &Session) -> Duration {
        if self.free() == 0 {
            return NAP;
        }
        // Before they are taken: whatever holds this process up from here on counts.
        let leave_by = Instant::now() + LEAVE_WITHIN;
        match self.take_due().await {
            Ok((texts, nap)) => {
                for text in texts {
                    let id = text.id;
                    let (room, post) = (Arc::clone(&self.room), Arc::clone(&self.post));
                    // None is taken beyond what is free, so there is one for each.
                    let slot = Arc::clone(&self.slots).try_acquire_owned().ok();
                    let task = self.flying.spawn(send(room, post, session.clone(), text, leave_by, slot));
                    self.in_hand.insert(task.id(), id);
                }
                nap
            }
            Err(error) => {
                // The commit may have come about all the same.
                self.room.hands.doubt();
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "texts could not be taken from the queue"
                );
                NAP
            }
        }
    }

    async fn take_due(&mut self) -> Result<(Vec<OutboundText>, Duration), StoreError> {
        let hands = &self.room.hands;
        if hands.take_doubt() {
            let _taking = hands.taking.lock().await;
            if let Err(error) = reclaim(&self.room, hands.all()).await {
                hands.doubt();
                return Err(error);
            }
        }
        let free = self.free();
        // Looking costs a read, not a commit.
        if !self.more
            && let Some(nap) = self.nap_until_due().await?
        {
            return Ok((Vec::new(), nap));
        }
        let taking = hands.taking.lock().await;
        let taken = self.room.store.take(move |tx| tx.texts().take_due(free)).await?;
        taken.iter().for_each(|text| hands.take(text.id));
        drop(taking);
        // A full take may have left more; nothing taken means that what is due has expired meanwhile.
        self.more = taken.len() == free;
        let nap = if self.more { Duration::ZERO } else { NAP };
        Ok((taken, nap))
    }

    /// How long nothing is due; nothing where something is.
    async fn nap_until_due(&self) -> Result<Option<Duration>, StoreError> {
        let now = self.room.world.now();
        let next = self.room.store.read::<_, StoreError, _>(|view| view.texts().next_due()).await?;
        let wait = |next: Timestamp| Duration::try_from(next.duration_since(now)).unwrap_or(NAP_LEAST);
        Ok(match next {
            Some(next) if next <= now => None,
            Some(next) => Some(wait(next).clamp(NAP_LEAST, NAP)),
            None => Some(NAP),
        })
    }
}

/// Why a text did not leave whole.
enum Failure {
    Expired,
    TooLong,
    Submit(SubmitError),
}

/// Resolves when a slot is free.
async fn free_slot(slots: &Semaphore) {
    // Nobody closes it.
    let _ = slots.acquire().await;
}

/// A nap; none at all where there is more to do.
async fn rest(nap: Duration) {
    if !nap.is_zero() {
        tokio::time::sleep(nap).await;
    }
}

/// Sends one text, gives its slot to another once it is answered, and writes down what became of it.
async fn send(
    room: Arc<Room>,
    post: Arc<Post>,
    session: Session,
    text: OutboundText,
    leave_by: Instant,
    slot: Option<OwnedSemaphorePermit>,
) {
    let id = text.id;
    let answer = submit_parts(&room, &session, &text, leave_by).await;
    drop(slot);
    match answer {
        Ok(message_ids) => room.accepted(&post.centre, id, message_ids).await,
        Err(Failure::Expired) => room.settled(&text, TextState::Expired, None).await,
        Err(Failure::TooLong) => {
            tracing::error!(text.id = %id, "a text of more than 255 parts cannot be sent: shorten it");
            room.settled(&text, TextState::Rejected, Some("it needs more than 255 parts".to_owned())).await;
        }
        Err(Failure::Submit(error)) => {
            let verdict = after_failure(error, &text, &room.world);
            report(&post, &session, id, error, verdict);
            match verdict {
                Verdict::Again { at, counted } => room.requeued(&text, at, counted, error.to_string()).await,
                Verdict::Settle(state) => room.settled(&text, state, Some(error.to_string())).await,
            }
        }
    }
}

/// Sends the parts one after the other, so that nothing follows a part that was refused.
async fn submit_parts(
    room: &Room,
    session: &Session,
    text: &OutboundText,
    leave_by: Instant,
) -> Result<Vec<String>, Failure> {
    let segments = text::segments(&text.body, reference(text.id));
    if segments.is_empty() {
        return Err(Failure::TooLong);
    }
    let mut message_ids = room.progress.take(text.id);
    // A late answer names a text and no part, so only a text in one piece asks for it.
    let tag = (segments.len() == 1).then(|| text.id.0.as_u128());
    for segment in segments.into_iter().skip(message_ids.len()) {
        let left = text.not_after.duration_since(room.world.now());
        let Some(validity) = Duration::try_from(left).ok().filter(|left| !left.is_zero()) else {
            return Err(Failure::Expired);
        };
        let submit = Submit {
            source: Address::short_code(&format!("{}{}", room.config.sender, text.suffix)),
            destination: Address::international(&text.to.e164()),
            segment,
            validity: Some(validity),
            receipt: true,
            leave_by: Some(leave_by),
        };
        let answer = match failpoints::pass(Point::BeforeSubmit).await {
            Ok(()) => match tag {
                Some(tag) => session.submit_tagged(submit, tag).await,
                None => session.submit(submit).await,
            },
            Err(_) => Err(SubmitError::NotSent),
        };
        let passed = failpoints::pass(Point::AfterSubmit).await;
        let answer = answer.and_then(|id| passed.map(|()| id).map_err(|_| SubmitError::Unknown));
        match answer {
            Ok(message_id) => message_ids.push(message_id),
            Err(error) => {
                room.progress.keep(text.id, message_ids);
                return Err(Failure::Submit(error));
            }
        }
    }
    Ok(message_ids)
}

/// The reference that a text's parts share: always the same for one text, so that a phone joins parts
/// of two sendings. The last octets of the id are random (RFC 9562, section 5.7).
fn reference(id: TextId) -> u16 {
    let bytes = id.0.into_bytes();
    u16::from_be_bytes([bytes[14], bytes[15]])
}

fn report(post: &Post, session: &Session, id: TextId, error: SubmitError, verdict: Verdict) {
    let centre = || post.centre.name.clone();
    if let SubmitError::Refused { kind: Refusal::Throttled | Refusal::QueueFull, .. } = error {
        metrics::counter!("sms_throttled_total", "centre" => centre()).increment(1);
        if let Some(rate) = post.rate.throttled(Instant::now()) {
            session.set_rate(rate);
            // Nobody has to do anything: the rate comes back by itself.
            tracing::info!(
                server.address = %post.centre.config.bind.host,
                sms.rate_per_s = rate,
                "the centre asks for less, so texts leave more slowly for a while"
            );
        }
    }
    if error == SubmitError::Unknown {
        metrics::counter!("sms_unknown_total", "centre" => centre()).increment(1);
    }
    let status = match error {
        SubmitError::Refused { status, .. } => status,
        SubmitError::NotSent | SubmitError::Unknown => 0,
    };
    match verdict {
        Verdict::Again { .. } => {
            metrics::counter!("sms_texts_requeued_total").increment(1);
            tracing::debug!(text.id = %id, smpp.status = status, "a text was put back: {error}");
        }
        Verdict::Settle(state) => {
            tracing::warn!(text.id = %id, text.state = state.word(), smpp.status = status, "a text was given up: {error}");
        }
    }
}
