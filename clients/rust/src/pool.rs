//! The connections to all addresses of the target: calls take them in turn.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{watch, Notify};
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::Channel;
use tonic::Code;

use crate::error::SentimentError;
use crate::transport::Transport;

const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);

static LINES: AtomicU64 = AtomicU64::new(0);

/// A connection that stood when it was last used.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    id: u64,
    address: SocketAddr,
    pub channel: Channel,
}

#[derive(Default)]
struct State {
    ready: Vec<Line>,
    /// How often all addresses without a connection have been tried, and what was wrong the last time.
    rounds: u64,
    fault: Option<String>,
}

pub(crate) struct Pool {
    state: Arc<watch::Sender<State>>,
    wake: Arc<Notify>,
    turn: AtomicUsize,
    keeper: AbortOnDropHandle<()>,
}

impl Pool {
    /// Begins to connect at once, and connects anew whenever a connection has broken; ends with the pool.
    pub fn new(transport: Transport) -> Self {
        let state = Arc::new(watch::Sender::new(State::default()));
        let wake = Arc::new(Notify::new());
        let keeper = tokio::spawn(keep(transport, state.clone(), wake.clone()));
        Self { state, wake, turn: AtomicUsize::new(0), keeper: AbortOnDropHandle::new(keeper) }
    }

    /// The next connection in turn. Where there is none: the first that can be had, or UNAVAILABLE when all addresses have been tried.
    pub async fn pick(&self) -> Result<Line, SentimentError> {
        let mut states = self.state.subscribe();
        let rounds = {
            let state = states.borrow();
            if state.ready.is_empty() {
                self.wake.notify_one();
            }
            state.rounds
        };
        let changed = states.wait_for(|state| !state.ready.is_empty() || state.rounds > rounds).await;
        let state = changed.map_err(|_| unreachable_because(None))?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        state.ready.get(turn % state.ready.len().max(1)).cloned().ok_or_else(|| unreachable_because(state.fault.as_deref()))
    }

    /// It has failed a call, or left it without an answer: no other call gets it. Calls that are under way on it may still end well.
    pub fn broken(&self, line: &Line) {
        self.state.send_modify(|state| state.ready.retain(|ready| ready.id != line.id));
        self.wake.notify_one();
    }

    pub fn close(&self) {
        self.keeper.abort();
        self.state.send_modify(|state| state.ready.clear());
    }
}

fn unreachable_because(fault: Option<&str>) -> SentimentError {
    SentimentError::new(Code::Unavailable, format!("the server cannot be reached: {}", fault.unwrap_or("it has no address")))
}

async fn keep(transport: Transport, state: Arc<watch::Sender<State>>, wake: Arc<Notify>) {
    let mut rest = FIRST_REST;
    loop {
        let is_whole = connect_all(&transport, &state).await;
        rest = if is_whole { FIRST_REST } else { (rest * 2).min(LONGEST_REST) };
        tokio::select! {
            () = wake.notified() => {}
            () = tokio::time::sleep(rest), if !is_whole => {}
        }
    }
}

/// Asks for the addresses anew, and connects to those that have no connection. False when one could not be had.
async fn connect_all(transport: &Transport, state: &watch::Sender<State>) -> bool {
    let mut fault = None;
    match transport.target.resolve().await {
        Err(error) => fault = Some(error.to_string()),
        Ok(addresses) => {
            state.send_modify(|state| state.ready.retain(|line| addresses.contains(&line.address)));
            let ready: Vec<SocketAddr> = state.borrow().ready.iter().map(|line| line.address).collect();
            let missing = addresses.into_iter().filter(|address| !ready.contains(address));
            let mut connecting: FuturesUnordered<_> = missing.map(|address| line_to(transport, address)).collect();
            while let Some(connected) = connecting.next().await {
                match connected {
                    Ok(line) => state.send_modify(|state| state.ready.push(line)),
                    Err(error) => fault = Some(error),
                }
            }
        }
    }
    let is_whole = fault.is_none();
    state.send_modify(|state| {
        state.rounds += 1;
        state.fault = fault;
    });
    is_whole
}

async fn line_to(transport: &Transport, address: SocketAddr) -> Result<Line, String> {
    let channel = transport.connect(address).await?;
    Ok(Line { id: LINES.fetch_add(1, Ordering::Relaxed), address, channel })
}
