//! The state which a scripted upstream shares with its connections: replies to give, requests seen, connections open.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;

use super::RecordedRequest;
use crate::reply::Reply;

/// Answers what the script has no reply for.
pub(super) type Otherwise = Arc<dyn Fn(&RecordedRequest) -> Reply + Send + Sync>;

/// Shared by the handle, the server and every connection.
#[derive(Debug, Default)]
pub(super) struct Script {
    state: Mutex<State>,
    recorded: watch::Sender<usize>,
    connections: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    replies: VecDeque<Reply>,
    otherwise: Option<Otherwise>,
    requests: Vec<RecordedRequest>,
    given_out: usize,
    forgets: bool,
}

/// Counts a connection as open until it is dropped.
pub(super) struct OpenConnection(Arc<Script>);

impl Script {
    pub(super) fn enqueue(&self, reply: Reply) {
        self.state().replies.push_back(reply);
    }

    pub(super) fn otherwise(&self, answer: Otherwise) {
        self.state().otherwise = Some(answer);
    }

    pub(super) fn forget_requests(&self) {
        self.state().forgets = true;
    }

    pub(super) fn replies_left(&self) -> usize {
        self.state().replies.len()
    }

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        self.state().requests.clone()
    }

    pub(super) async fn next_request(&self) -> RecordedRequest {
        let mut recorded = self.recorded.subscribe();
        loop {
            if let Some(request) = self.give_out() {
                return request;
            }
            recorded.changed().await.expect("the sender lives as long as this script");
        }
    }

    pub(super) fn open_connections(&self) -> usize {
        *self.connections.borrow()
    }

    pub(super) async fn until_open_connections(&self, count: usize) {
        let mut connections = self.connections.subscribe();
        connections.wait_for(|open| *open == count).await.expect("the sender lives as long as this script");
    }

    pub(super) fn connection_opened(self: &Arc<Self>) -> OpenConnection {
        self.connections.send_modify(|open| *open += 1);
        OpenConnection(Arc::clone(self))
    }

    /// Records the request and takes the reply to it.
    pub(super) fn reply_to(&self, request: &RecordedRequest) -> Reply {
        let (reply, otherwise) = {
            let mut state = self.state();
            if !state.forgets {
                state.requests.push(request.clone());
            }
            (state.replies.pop_front(), state.otherwise.clone())
        };
        self.recorded.send_modify(|count| *count += 1);
        // The lock is released by now: the answer may well look at what was recorded.
        match (reply, otherwise) {
            (Some(reply), _) => reply,
            (None, Some(answer)) => answer(request),
            (None, None) => {
                Reply::new(500).with_body(format!("nothing was scripted for {} {}\n", request.method, request.path()))
            }
        }
    }

    fn give_out(&self) -> Option<RecordedRequest> {
        let mut state = self.state();
        let request = state.requests.get(state.given_out).cloned()?;
        state.given_out += 1;
        Some(request)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no one panics with this lock")
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections.send_modify(|open| *open -= 1);
    }
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Requests are left out: they carry credentials and whole prompts.
        formatter
            .debug_struct("State")
            .field("replies", &self.replies)
            .field("requests", &self.requests.len())
            .finish_non_exhaustive()
    }
}
