//! The saga of an order, model-checked: two copies of each server, every message lost, doubled or late, a crash between
//! any two steps. States change by the very table of `domain::order`.
//!
//! One person orders from a designated provider, and in a second model taps twice: there, of what follows an order's
//! taking, only what decides about the claim is looked at, or there would be too many states. What was sent stays in the model's network for
//! ever and may arrive at any time, any number of times, or never, so that loss, doubling and delay need no steps of
//! their own. A step of a server is one commit; what a worker holds between two commits is lost with it, and another
//! may take the same job at any time, as when a lease has run out.

use std::collections::BTreeSet;

use domain::order::{OrderState, Progress, Reason};
use stateright::{Checker, HasDiscoveries, Model, Property};

const ORDERS: usize = 2;
const COPIES: usize = 2;

/// What may be built wrongly on purpose, to see the checker find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    None,
    /// The claim is read before the write and not kept by it.
    NoClaim,
    /// The same external id again is another order.
    RepeatIsAnother,
    /// A text that was acted upon is acted upon again.
    InboxForgets,
    /// Any answer confirms.
    AnyAnswerConfirms,
    /// Nobody compares.
    NoComparison,
    /// Older news overwrite newer ones.
    OldNewsCount,
    /// The timer does not survive a restart.
    NoTimer,
}

/// What is on its way between two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Message {
    Order(usize),
    Text(usize),
    /// An answer to a text, by the code or without it.
    Reply(usize, bool),
    /// An event of the hub, by its number and the state it tells.
    Event(usize, u8, u8),
}

/// What a worker of the exchange or of the platform has in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Hand {
    Idle,
    /// A forward job was read; the order is not sent yet.
    Forward(usize),
    /// It was sent; the answer, once there is one, tells a state.
    Waits(usize, Option<u8>),
    /// A text that came in was read.
    Reply(usize, bool),
}

/// A text that came in, as the inbox has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Inbox {
    Absent,
    Kept,
    Done,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Wanted {
    state: Progress,
    reason: Option<Reason>,
    /// The forward job waits.
    job: bool,
    /// The number of the newest event that was heard.
    heard: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Taken {
    state: OrderState,
    reason: Option<Reason>,
    /// Events told of it so far.
    told: u8,
    /// Its text waits to be sent.
    text: bool,
    timer: bool,
}

/// Who holds the claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Claim {
    Free,
    Order(usize),
    Product,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    exchange: [Option<Wanted>; ORDERS],
    platform: [Option<Taken>; ORDERS],
    claim: Claim,
    inbox: [[Inbox; 2]; ORDERS],
    hands: [Hand; COPIES],
    network: BTreeSet<Message>,
    activations: u8,
    charges: u8,
    /// A charge was made for an order whose code nobody had sent.
    unasked: bool,
    /// The table does not have a transition that was made.
    illegal: bool,
    corrected: bool,
    /// An order that had ended was told to go on.
    reopened: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Tap(usize),
    Take(usize, usize),
    Send(usize),
    Arrive(Message),
    Answered(usize),
    /// A worker dies; or it waited too long.
    Crash(usize),
    GiveUp(usize),
    SendText(usize),
    Answer(usize, bool),
    TakeReply(usize, usize, bool),
    ActOnReply(usize),
    Expire(usize),
    Cancel(usize),
    Compare(usize),
}

struct Saga {
    defect: Defect,
    /// One order with all that may happen to it, or two that contend.
    orders: usize,
}

fn number(state: OrderState) -> u8 {
    let place = OrderState::ALL.iter().position(|one| *one == state).unwrap();
    u8::try_from(place).unwrap()
}

fn state_of(number: u8) -> OrderState {
    OrderState::ALL[usize::from(number)]
}

impl State {
    fn begin() -> Self {
        Self {
            exchange: [None, None],
            platform: [None, None],
            claim: Claim::Free,
            inbox: [[Inbox::Absent; 2]; ORDERS],
            hands: [Hand::Idle; COPIES],
            network: BTreeSet::new(),
            activations: 0,
            charges: 0,
            unasked: false,
            illegal: false,
            corrected: false,
            reopened: false,
        }
    }

    /// Moves an order at the platform and tells of it.
    fn go(&mut self, order: usize, to: OrderState, reason: Option<Reason>) {
        let Some(taken) = &mut self.platform[order] else { return };
        self.illegal |= !taken.state.next().contains(&to);
        taken.state = to;
        taken.reason = reason;
        taken.told += 1;
        self.network.insert(Message::Event(order, taken.told, number(to)));
    }

    /// Brings the exchange's order in step.
    fn hear(&mut self, order: usize, heard: u8, to: OrderState, defect: Defect) {
        let Some(wanted) = &mut self.exchange[order] else { return };
        let given_up = wanted.reason == Some(Reason::PlatformUnreachable);
        let old = heard < wanted.heard && !to.is_final() && defect != Defect::OldNewsCount;
        let ended = wanted.state.is_final() && !given_up && defect != Defect::OldNewsCount;
        if old || ended || wanted.state == to.progress() {
            return;
        }
        self.reopened |= wanted.state.is_final() && !given_up;
        self.corrected |= given_up && to == OrderState::Completed;
        wanted.state = to.progress();
        wanted.reason = None;
        wanted.heard = wanted.heard.max(heard);
    }

    /// The platform takes an order, or finds it again.
    fn take(&mut self, order: usize, defect: Defect) -> OrderState {
        if let Some(known) = &self.platform[order]
            && (defect != Defect::RepeatIsAnother || !known.state.is_final())
        {
            return known.state;
        }
        let free =
            self.claim == Claim::Free || defect == Defect::NoClaim || defect == Defect::RepeatIsAnother;
        let state = if free { OrderState::Acknowledged } else { OrderState::Rejected };
        let reason = match self.claim {
            _ if free => None,
            Claim::Product => Some(Reason::AlreadySubscribed),
            _ => Some(Reason::OrderOpen),
        };
        if defect == Defect::RepeatIsAnother {
            // Another order has another code, and so another answer.
            self.inbox[order] = [Inbox::Absent; 2];
        }
        self.platform[order] = Some(Taken { state, reason, told: 0, text: free, timer: free });
        if free {
            self.claim = Claim::Order(order);
            self.go(order, OrderState::Pending, None);
        }
        self.platform[order].as_ref().map_or(state, |taken| taken.state)
    }

    /// A reply is acted upon, in one commit.
    fn act(&mut self, order: usize, right: bool, defect: Defect) {
        let place = usize::from(right);
        if self.inbox[order][place] == Inbox::Done && defect != Defect::InboxForgets {
            return;
        }
        self.inbox[order][place] = Inbox::Done;
        let Some(taken) = &self.platform[order] else { return };
        let state = taken.state;
        let again = defect == Defect::InboxForgets && right && state == OrderState::Completed;
        if state != OrderState::Pending && !again {
            return;
        }
        if !right && defect != Defect::AnyAnswerConfirms {
            self.cancel(order, Reason::ConfirmationMismatch);
            return;
        }
        self.unasked |= !right;
        if !again {
            self.go(order, OrderState::InProgress, None);
            self.go(order, OrderState::Completed, None);
            self.claim = Claim::Product;
        }
        self.activations += 1;
        self.charges += 1;
    }

    fn cancel(&mut self, order: usize, reason: Reason) {
        self.go(order, OrderState::Cancelled, Some(reason));
        if self.claim == Claim::Order(order) {
            self.claim = Claim::Free;
        }
    }

    fn is_pending(&self, order: usize) -> bool {
        self.platform[order].as_ref().is_some_and(|taken| taken.state == OrderState::Pending)
    }

    fn has_ended(&self) -> bool {
        let wanted = self.exchange.iter().flatten().all(|wanted| wanted.state.is_final());
        wanted && self.platform.iter().flatten().all(|taken| taken.state.is_final())
    }

    fn agrees(&self) -> bool {
        self.exchange.iter().zip(&self.platform).all(|pair| match pair {
            (Some(wanted), Some(taken)) => wanted.state == taken.state.progress(),
            (Some(wanted), None) => wanted.reason == Some(Reason::PlatformUnreachable),
            _ => true,
        })
    }

    /// The state after an arrival.
    fn arrive(&mut self, message: Message, defect: Defect) {
        match message {
            Message::Order(order) => {
                let state = self.take(order, defect);
                for hand in &mut self.hands {
                    if *hand == Hand::Waits(order, None) {
                        *hand = Hand::Waits(order, Some(number(state)));
                    }
                }
            }
            Message::Reply(order, right) => {
                let kept = &mut self.inbox[order][usize::from(right)];
                if *kept == Inbox::Absent {
                    *kept = Inbox::Kept;
                }
            }
            Message::Event(order, told, state) => self.hear(order, told, state_of(state), defect),
            Message::Text(_) => {}
        }
    }
}

impl Saga {
    fn step(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Tap(order) => {
                let wanted = Wanted { state: Progress::Queued, reason: None, job: true, heard: 0 };
                next.exchange[order] = Some(wanted);
            }
            Action::Take(copy, order) => next.hands[copy] = Hand::Forward(order),
            Action::Send(copy) => {
                let Hand::Forward(order) = next.hands[copy] else { return None };
                next.network.insert(Message::Order(order));
                next.hands[copy] = Hand::Waits(order, None);
            }
            Action::Arrive(message) => next.arrive(message, self.defect),
            Action::Answered(copy) => {
                let Hand::Waits(order, Some(said)) = next.hands[copy] else { return None };
                next.hands[copy] = Hand::Idle;
                // An answer is older news than any event.
                next.hear(order, 0, state_of(said), self.defect);
                if let Some(wanted) = &mut next.exchange[order] {
                    wanted.job = false;
                }
            }
            Action::Crash(copy) => next.hands[copy] = Hand::Idle,
            Action::GiveUp(order) => {
                let wanted = next.exchange[order].as_mut()?;
                wanted.state = Progress::Failed;
                wanted.reason = Some(Reason::PlatformUnreachable);
                wanted.job = false;
            }
            Action::SendText(order) => {
                next.platform[order].as_mut()?.text = false;
                next.network.insert(Message::Text(order));
            }
            Action::Answer(order, right) => {
                next.network.insert(Message::Reply(order, right));
            }
            Action::TakeReply(copy, order, right) => next.hands[copy] = Hand::Reply(order, right),
            Action::ActOnReply(copy) => {
                let Hand::Reply(order, right) = next.hands[copy] else { return None };
                next.hands[copy] = Hand::Idle;
                next.act(order, right, self.defect);
            }
            Action::Expire(order) => next.cancel(order, Reason::ConfirmationTimeout),
            Action::Cancel(order) => {
                next.go(order, OrderState::AssessingCancellation, None);
                next.go(order, OrderState::PendingCancellation, None);
                next.cancel(order, Reason::UserCancelled);
            }
            Action::Compare(order) => {
                let (heard, to) = {
                    let (wanted, taken) = (next.exchange[order].as_ref()?, next.platform[order].as_ref()?);
                    (wanted.heard, taken.state)
                };
                next.hear(order, heard, to, self.defect);
            }
        }
        // The copies are alike: which of them has what in hand makes no other state.
        next.hands.sort();
        // What changes nothing is no step.
        (next != *state).then_some(next)
    }

    fn possible(&self, state: &State) -> Vec<Action> {
        let alone = self.orders == 1;
        let arrives = |message: &Message| alone || !matches!(message, Message::Event(..));
        let mut actions: Vec<_> = state.network.iter().copied().filter(arrives).map(Action::Arrive).collect();
        for order in 0..self.orders {
            match &state.exchange[order] {
                None => actions.push(Action::Tap(order)),
                Some(wanted) => {
                    let idle = (0..COPIES).filter(|copy| wanted.job && state.hands[*copy] == Hand::Idle);
                    actions.extend(idle.map(|copy| Action::Take(copy, order)));
                    if alone && wanted.job && wanted.state == Progress::Queued {
                        actions.push(Action::GiveUp(order));
                    }
                    if alone && self.defect != Defect::NoComparison && wanted.state != Progress::Queued {
                        actions.push(Action::Compare(order));
                    }
                }
            }
            if state.platform[order].as_ref().is_some_and(|taken| taken.text) {
                actions.push(Action::SendText(order));
            }
            if state.is_pending(order) {
                // The timer is as durable as the order.
                if self.defect != Defect::NoTimer {
                    actions.push(Action::Expire(order));
                }
                if alone {
                    actions.push(Action::Cancel(order));
                }
            }
            if state.network.contains(&Message::Text(order)) {
                actions.push(Action::Answer(order, true));
                actions.push(Action::Answer(order, false));
            }
            for right in [false, true] {
                let kept = state.inbox[order][usize::from(right)];
                let again = kept == Inbox::Done && self.defect == Defect::InboxForgets;
                if kept == Inbox::Kept || again {
                    let idle = (0..COPIES).filter(|copy| state.hands[*copy] == Hand::Idle);
                    actions.extend(idle.map(|copy| Action::TakeReply(copy, order, right)));
                }
            }
        }
        for (copy, hand) in state.hands.iter().enumerate() {
            match hand {
                Hand::Idle => continue,
                Hand::Forward(_) => actions.push(Action::Send(copy)),
                Hand::Waits(_, Some(_)) => actions.push(Action::Answered(copy)),
                Hand::Waits(..) => {}
                Hand::Reply(..) => actions.push(Action::ActOnReply(copy)),
            }
            actions.push(Action::Crash(copy));
        }
        actions
    }

    /// Whether nothing is left that the servers do by themselves. That messages arrive, that people tap, answer and
    /// cancel, is nothing to count on; that a worker dies, neither.
    fn is_over(&self, state: &State) -> bool {
        let by_itself = |action: &Action| {
            !matches!(
                action,
                Action::Tap(_)
                    | Action::Arrive(_)
                    | Action::Answer(..)
                    | Action::Cancel(_)
                    | Action::Crash(_)
            )
        };
        let steps = self.possible(state).into_iter().filter(by_itself);
        steps.map(|action| self.step(state, action)).all(|next| next.is_none())
    }
}

impl Model for Saga {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::begin()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend(self.possible(state));
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.step(state, action)
    }

    /// No state beyond a second effect is looked at: it is found by then.
    fn within_boundary(&self, state: &State) -> bool {
        state.activations <= 2
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("one subscription and one charge at most", |_, state: &State| {
                state.activations <= 1 && state.charges <= 1
            }),
            Property::always("no charge without the code", |_, state: &State| !state.unasked),
            Property::always("every transition is one of the table", |_, state: &State| !state.illegal),
            Property::always("every order ends, in the platform's state", |saga: &Saga, state: &State| {
                saga.orders > 1 || !saga.is_over(state) || (state.has_ended() && state.agrees())
            }),
            Property::always("an end is the end", |_, state: &State| !state.reopened),
            Property::sometimes("an order is confirmed", |_, state: &State| state.charges == 1),
            Property::sometimes("a second tap is refused", |saga: &Saga, state: &State| {
                let refused = |taken: &Taken| taken.reason == Some(Reason::OrderOpen);
                saga.orders == 1 || state.platform.iter().flatten().any(refused)
            }),
            Property::sometimes("an order given up turns out to be there", |saga: &Saga, state: &State| {
                saga.orders > 1 || state.corrected
            }),
            Property::sometimes("both workers have the same order in hand", |_, state: &State| {
                state.hands == [Hand::Waits(0, None); COPIES]
            }),
        ]
    }
}

#[test]
fn no_loss_delay_doubling_or_crash_gives_a_second_effect_or_an_order_without_end() {
    for orders in [1, 2] {
        let checker = Saga { defect: Defect::None, orders }.checker().threads(2).spawn_bfs().join();
        println!("{orders}: {} states", checker.unique_state_count());
        checker.assert_properties();
        assert!(checker.unique_state_count() > 10_000, "a model of {}", checker.unique_state_count());
    }
}

#[test]
fn each_deliberate_defect_is_found() {
    for (defect, orders, broken) in [
        (Defect::NoClaim, 2, "one subscription and one charge at most"),
        (Defect::RepeatIsAnother, 1, "one subscription and one charge at most"),
        (Defect::InboxForgets, 1, "one subscription and one charge at most"),
        (Defect::AnyAnswerConfirms, 1, "no charge without the code"),
        (Defect::NoComparison, 1, "every order ends, in the platform's state"),
        (Defect::OldNewsCount, 1, "an end is the end"),
        (Defect::NoTimer, 1, "every order ends, in the platform's state"),
    ] {
        let checker = Saga { defect, orders }.checker().threads(2).finish_when(HasDiscoveries::AnyFailures);
        assert!(checker.spawn_bfs().join().discovery(broken).is_some(), "{defect:?} is not found");
    }
}
