//! The escrow: this node's parts of budgets that several nodes share.
//!
//! Requests are decided in memory by what this node was granted. More is asked for ahead of need; only a request that
//! does not fit into this node's part, while the budget has enough, waits for a round trip to the database. Where nothing
//! is free there, the other nodes are asked to give back what they do not need.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use futures::StreamExt;
use signalbox_core::budget::{Amount, Need, Offer, PurseKey, Spender, Wish};
use signalbox_core::ids::{NodeId, RequestId};
use signalbox_core::time::Timestamp;
use signalbox_store::{Exchanged, SliceNews, Store, StoreError};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::lease::{Lease, Moment};
use super::{Budgets, lock};
use crate::ledger::{Ledger, error_chain};

/// How long a request waits at most for more than this node has. Usually it is some milliseconds; a busy database is waited
/// for rather than taken for an empty budget.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long one exchange with the database may take.
const EXCHANGE_MAX: Duration = Duration::from_secs(2);
/// How long the other nodes have to give back what they do not need.
const GIVE_BACK_MAX: Duration = Duration::from_millis(400);
/// How long their answer is waited for before the database is looked at again.
const GIVE_BACK_PAUSE: Duration = Duration::from_millis(80);
/// How long it is remembered that there is not enough, so that each refusal does not cost everybody a round trip.
const DRY_FOR: Duration = Duration::from_millis(250);
/// Purses that are asked for at once: half of the connections to the database.
const AT_ONCE: usize = 4;
/// How often the database is told that this node serves.
const BEAT_EVERY: Duration = Duration::from_secs(1);
/// Beats between two looks at what other nodes' requests came to.
const BEATS_PER_LOOK: u32 = 2;
/// Purses that are looked at then.
const LOOKED_AT_MAX: usize = 64;
/// How long an ending node takes at most to give everything back. What it does not is free once it is back or taken for gone.
const LEAVE_MAX: Duration = Duration::from_secs(10);

/// What this node asks for, and whether it may use what it has.
#[derive(Debug)]
pub(super) struct Escrow {
    store: Store,
    pub(super) node: NodeId,
    pub(super) lease: Lease,
    desk: Mutex<Desk>,
    /// Something was put on the desk.
    nudge: Notify,
    /// Another node gave something back.
    given: Notify,
}

#[derive(Debug, Default)]
struct Desk {
    wants: HashMap<PurseKey, Want>,
    /// Purses that are asked for at this moment.
    busy: HashSet<PurseKey>,
    /// What there was not enough for, and until when that is taken for true.
    dry: HashMap<PurseKey, (Instant, Amount)>,
    /// Purses of which not all that was wanted was free, and until when nobody asks for more ahead of need.
    scarce: HashMap<PurseKey, Instant>,
}

/// What is to be done about one purse. Whoever waits hears of it when this is dropped.
#[derive(Debug, Default)]
struct Want {
    need: Option<Need>,
    gives_back: bool,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Escrow {
    pub(super) fn new(store: Store, node: NodeId) -> Self {
        Self {
            store,
            node,
            lease: Lease::new(),
            desk: Mutex::default(),
            nudge: Notify::new(),
            given: Notify::new(),
        }
    }

    /// Begins to serve: what an earlier run of this node was granted it has to ask for anew.
    pub(super) async fn enter(&self, now: Timestamp) -> Result<(), StoreError> {
        let begun = Moment::at(now);
        self.store.enter_node(self.node, self.lease.life(), now).await?;
        self.lease.renew(begun);
        Ok(())
    }

    /// Asks for something that nobody waits for.
    fn ask_soon(&self, needs: Vec<Need>) {
        let needs: Vec<Need> = {
            let (desk, now) = (self.desk(), Instant::now());
            let is_scarce = |need: &Need| desk.scarce.get(&need.purse).is_some_and(|until| now < *until);
            needs.into_iter().filter(|need| !is_scarce(need)).collect()
        };
        if !needs.is_empty() {
            drop(self.ask(needs));
        }
    }

    /// Asks for something and returns what tells when there is an answer.
    fn ask(&self, needs: Vec<Need>) -> Vec<oneshot::Receiver<()>> {
        let mut desk = self.desk();
        let answers = needs.into_iter().map(|need| {
            let want = desk.wants.entry(need.purse.clone()).or_default();
            match &mut want.need {
                Some(known) => known.join(&need),
                None => want.need = Some(need),
            }
            let (waiting, answer) = oneshot::channel();
            want.waiting.push(waiting);
            answer
        });
        let answers = answers.collect();
        self.nudge.notify_one();
        answers
    }

    /// Has this node give back what it does not need of a purse.
    pub(super) fn give_back(&self, purse: PurseKey) {
        self.desk().wants.entry(purse).or_default().gives_back = true;
        self.nudge.notify_one();
    }

    /// Whether it was just seen that there is not enough.
    fn is_dry(&self, need: &Need) -> bool {
        let dry = self.desk().dry.get(&need.purse).copied();
        dry.is_some_and(|(until, least)| Instant::now() < until && need.needs_no_less_than(least))
    }

    fn note_dry(&self, need: &Need) {
        let now = Instant::now();
        let mut desk = self.desk();
        desk.dry.retain(|_, (until, _)| now < *until);
        desk.dry.insert(need.purse.clone(), (now + DRY_FOR, need.least));
    }

    fn note_scarce(&self, purse: &PurseKey) {
        let now = Instant::now();
        let mut desk = self.desk();
        desk.scarce.retain(|_, until| now < *until);
        desk.scarce.insert(purse.clone(), now + DRY_FOR);
    }

    /// The purses to be asked for now; they are busy until [`Escrow::take`] has nothing more for them.
    fn due(&self) -> Vec<PurseKey> {
        let mut desk = self.desk();
        let room = AT_ONCE.saturating_sub(desk.busy.len());
        let due = desk.wants.keys().filter(|purse| !desk.busy.contains(*purse)).take(room);
        let due: Vec<PurseKey> = due.cloned().collect();
        desk.busy.extend(due.iter().cloned());
        due
    }

    fn take(&self, purse: &PurseKey) -> Option<Want> {
        let mut desk = self.desk();
        let want = desk.wants.remove(purse);
        if want.is_none() {
            desk.busy.remove(purse);
        }
        want
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        lock(&self.desk)
    }
}

impl Budgets {
    /// Sees to it that one of the offers fits into this node's parts, if there is enough. Does nothing where one process
    /// has the database to itself; where this node has enough it takes microseconds.
    pub(super) async fn provide(
        &self,
        request: RequestId,
        spender: &Spender<'_>,
        offers: &[Offer<'_>],
        is_approved: bool,
    ) {
        let Some(escrow) = &self.0.escrow else { return };
        let over = Instant::now() + PATIENCE;
        loop {
            let needs = {
                let now = self.0.clock.now();
                let mut book = self.book();
                book.cut_off(!escrow.lease.is_held(now));
                book.needs(request, spender, offers, is_approved, now)
            };
            escrow.ask_soon(needs.soon);
            let can_be_met = |needs: &Vec<Need>| !needs.iter().any(|need| escrow.is_dry(need));
            let Some(needs) = needs.short.into_iter().find(can_be_met) else { return };
            let answered = futures::future::join_all(escrow.ask(needs));
            if timeout_at(over, answered).await.is_err() {
                return;
            }
        }
    }

    /// Does what is on the desk for one purse.
    async fn serve(self, purse: PurseKey) {
        let Some(escrow) = &self.0.escrow else { return };
        while let Some(want) = escrow.take(&purse) {
            if want.gives_back {
                self.book().give_up(&purse);
                // Whoever wanted it shall get it.
                escrow.note_scarce(&purse);
            }
            if (want.need.is_some() || self.book().has_given_up(&purse))
                && let Err(error) = self.exchange(escrow, &purse, want.need.as_ref()).await
            {
                let error =
                    error.as_ref().map_or("it does not answer".to_owned(), |error| error_chain(error));
                tracing::warn!(error, "the database cannot be asked for a part of a budget");
                self.book().note_unheard(&purse);
                if let Some(need) = &want.need {
                    escrow.note_dry(need);
                }
            }
        }
    }

    /// Asks the database, and the other nodes if it has nothing.
    ///
    /// Errors: it refused, or (`None`) did not answer in time. Then this node has what it had.
    async fn exchange(
        &self,
        escrow: &Escrow,
        purse: &PurseKey,
        need: Option<&Need>,
    ) -> Result<(), Option<StoreError>> {
        let over = Instant::now() + GIVE_BACK_MAX;
        loop {
            let mut given = std::pin::pin!(escrow.given.notified());
            given.as_mut().enable();
            let asked = self.book().parcel(purse);
            let keeps = asked.granted;
            let wish = need.map_or(Wish::no_more_than(keeps), |need| Wish {
                keeps,
                least: need.least,
                wanted: need.wanted,
            });
            let exchange = escrow.store.exchange_slice(escrow.node, purse, asked.turn, &wish);
            let (share, is_enough, could_ever) = match timeout(EXCHANGE_MAX, exchange).await {
                Ok(Ok(Exchanged::Done { share, is_enough, is_all, could_ever })) => {
                    if !is_all {
                        escrow.note_scarce(purse);
                    }
                    (share, is_enough, could_ever)
                }
                Ok(Ok(Exchanged::Moved { turn })) => {
                    self.book().set_turn(purse, turn);
                    continue;
                }
                Ok(Err(error)) => return Err(Some(error)),
                Err(_) => return Err(None),
            };
            let notices = self.book().take(purse, &share, asked);
            self.tell(notices);
            let Some(need) = need.filter(|_| !is_enough) else { return Ok(()) };
            if !could_ever || over <= Instant::now() {
                escrow.note_dry(need);
                return Ok(());
            }
            let wanted = SliceNews::Wanted { by: escrow.node, purse: purse.clone() };
            escrow.store.tell_of_slices(&wanted).await.map_err(Some)?;
            let _ = timeout(GIVE_BACK_PAUSE, given).await;
        }
    }

    /// Gives everything back that no request uses any more.
    async fn leave(&self, escrow: &Escrow) {
        let purses = {
            let mut book = self.book();
            book.give_up_all();
            book.given_up()
        };
        let give_back = futures::stream::iter(purses)
            .for_each_concurrent(AT_ONCE, async |purse| drop(self.exchange(escrow, &purse, None).await));
        if timeout(LEAVE_MAX, give_back).await.is_ok() && self.book().given_up().is_empty() {
            let left = escrow.store.leave_node(escrow.node, escrow.lease.life());
            drop(timeout(EXCHANGE_MAX, left).await);
        }
    }

    /// This node was taken for gone: what it had may be others'. Once no request of before runs any more it begins anew.
    async fn return_from_gone(&self, escrow: &Escrow, ledger: &Ledger) -> Result<(), StoreError> {
        escrow.lease.lose();
        let is_quiet = self.book().is_idle() && ledger.caught_up(BEAT_EVERY).await;
        if !is_quiet || !self.book().clear_if_idle() {
            return Ok(());
        }
        let now = self.0.clock.now();
        let budgets = self.book().budgets().to_vec();
        let written = self.read(&escrow.store, &budgets).await?;
        written.put_into(&mut self.book());
        let begun = Moment::at(now);
        escrow.store.enter_node(escrow.node, escrow.lease.begin_anew(), now).await?;
        escrow.lease.renew(begun);
        tracing::warn!("this node was taken for gone; it has begun anew with its parts of shared budgets");
        Ok(())
    }

    /// Looks what the requests of other nodes came to, so that thresholds are told also when those pass them.
    async fn look_at_others(&self, escrow: &Escrow) -> Result<(), StoreError> {
        // What the database could not be told before.
        let given_up = self.book().given_up();
        for purse in given_up {
            escrow.give_back(purse);
        }
        let touched = self.book().touched(LOOKED_AT_MAX);
        for purse in touched {
            let share = escrow.store.share_of(escrow.node, &purse).await?;
            let notices = self.book().see(&purse, &share);
            self.tell(notices);
        }
        Ok(())
    }
}

/// Asks for parts of budgets and gives them back until `stop`, then gives everything back.
pub(crate) async fn serve(budgets: Budgets, stop: CancellationToken) {
    let Some(escrow) = &budgets.0.escrow else { return };
    let mut running = JoinSet::new();
    loop {
        for purse in escrow.due() {
            running.spawn(budgets.clone().serve(purse));
        }
        tokio::select! {
            () = escrow.nudge.notified() => {}
            Some(_) = running.join_next() => {}
            () = stop.cancelled() => break,
        }
    }
    running.shutdown().await;
    budgets.leave(escrow).await;
}

/// Hears what other nodes need, until `stop`.
pub(crate) async fn listen(budgets: Budgets, stop: CancellationToken) {
    let Some(escrow) = &budgets.0.escrow else { return };
    let mut signal = escrow.store.slice_signal();
    loop {
        let heard = tokio::select! {
            heard = signal.heard() => heard,
            () = stop.cancelled() => return,
        };
        match heard {
            Ok(SliceNews::Wanted { by, purse }) if by != escrow.node => {
                let has_some = {
                    let book = budgets.book();
                    book.parcel(&purse).granted != Amount::default() || book.has_given_up(&purse)
                };
                if has_some {
                    escrow.give_back(purse);
                }
            }
            Ok(SliceNews::Given { by, .. }) if by != escrow.node => escrow.given.notify_waiters(),
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(error = error_chain(&error), "other nodes cannot be heard; trying again");
                tokio::select! {
                    () = tokio::time::sleep(BEAT_EVERY) => {}
                    () = stop.cancelled() => return,
                }
            }
        }
    }
}

/// Tells the database every second that this node serves, until `stop`.
pub(crate) async fn beat(budgets: Budgets, ledger: Ledger, stop: CancellationToken) {
    let Some(escrow) = &budgets.0.escrow else { return };
    let (mut beats, mut fails) = (0_u32, false);
    let mut tick = tokio::time::interval(BEAT_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        beats = beats.wrapping_add(1);
        let work = async {
            let now = budgets.0.clock.now();
            let begun = Moment::at(now);
            if escrow.store.beat(escrow.node, escrow.lease.life(), now).await? {
                escrow.lease.renew(begun);
            } else {
                return budgets.return_from_gone(escrow, &ledger).await;
            }
            if beats.is_multiple_of(BEATS_PER_LOOK) { budgets.look_at_others(escrow).await } else { Ok(()) }
        };
        let failed = tokio::select! {
            done = timeout(2 * BEAT_EVERY, work) => match done {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error_chain(&error)),
                Err(_) => Some("the database does not answer".to_owned()),
            },
            () = stop.cancelled() => return,
        };
        // Said once, not every second.
        if let Some(error) = failed.as_ref().filter(|_| !fails) {
            tracing::error!(
                error,
                "this node cannot tell that it serves; it will use no shared budget until it can"
            );
        }
        fails = failed.is_some();
    }
}
