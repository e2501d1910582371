//! A thousand streams at once, and the first provider fails under them: nothing may be lost, doubled or leaked.
//!
//! The real node runs as its own process; every client keeps its own count of whole answers, which must be what the ledger
//! says.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use signalbox_simulator::{Dials, DialsHandle, Simulator};

use crate::Only;
use crate::node::{Node, cli, unpin, verify};
use crate::peer::{Connection, Peer};

/// Streams at once.
const STREAMS: usize = 1_000;
/// How long they go on, before, during and after the outage.
const PHASE: Duration = Duration::from_secs(6);
/// Memory the node may have at most. Units: MiB.
const MEMORY_MAX_MIB: u64 = 300;
/// An answer takes about this: time to the first word, then the time of its words. Units: milliseconds.
const FIRST_WORD_MS: u64 = 300;
const BETWEEN_WORDS_MS: u64 = 40;

/// Runs it, if it was chosen.
pub async fn run(only: &Only) {
    if !only.includes("storm") {
        return;
    }
    unpin(std::process::id());
    let dials = Dials {
        require_key: false,
        latency_ms: FIRST_WORD_MS,
        chunk_interval_ms: BETWEEN_WORDS_MS,
        jitter_ms: 50,
        observe: 0,
        ..Dials::default()
    };
    let simulator = Simulator::bind_ephemeral(dials).await.unwrap();
    let data_dir = tempfile::tempdir().unwrap();
    let node = Node::start(data_dir.path(), &simulator, &["sim-chat", "sim-backup"]);
    let before_mib = node.resident_mib();
    let peer = Arc::new(Peer::new(node.listen, "op:chat_message", &node.key));
    let crowd = Crowd::gather(&peer);
    for (phase, down) in [("before", false), ("outage", true), ("after", false)] {
        set_outage(&simulator.dials(), down);
        let (whole, broken) = crowd.count_for(PHASE).await;
        println!(
            "{phase:<8} {whole:>7} whole answers, {broken:>4} broken, {} MiB resident",
            node.resident_mib()
        );
    }
    let (whole, broken) = crowd.dismiss().await;
    let peak_mib = node.peak_mib();
    println!(
        "{STREAMS} streams at once: {whole} whole answers, {broken} broken; memory {before_mib} MiB before, {peak_mib} MiB at most"
    );
    assert!(peak_mib < MEMORY_MAX_MIB, "the node took {peak_mib} MiB");
    drop(node);
    compare(data_dir.path(), whole, broken);
    verify(data_dir.path());
    simulator.shutdown().await;
}

/// The first provider answers every call with a server error, or serves again.
fn set_outage(dials: &DialsHandle, down: bool) {
    let own = json!({"error": "server_error", "error_rate": 1.0});
    let Value::Object(own) = own else { return };
    dials.update(|dials| {
        dials.per_model.clear();
        if down {
            dials.per_model.insert("sim-chat".to_owned(), own);
        }
    });
}

/// Clients that each ask again as soon as they have their answer.
struct Crowd {
    whole: Arc<AtomicU64>,
    broken: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

impl Crowd {
    fn gather(peer: &Arc<Peer>) -> Self {
        let mut crowd =
            Self { whole: Arc::default(), broken: Arc::default(), over: Arc::default(), clients: Vec::new() };
        for _ in 0..STREAMS {
            let (whole, broken, over) =
                (Arc::clone(&crowd.whole), Arc::clone(&crowd.broken), Arc::clone(&crowd.over));
            let peer = Arc::clone(peer);
            crowd.clients.push(tokio::spawn(async move {
                let request = peer.bytes(true);
                let mut connection = Connection::open(peer.address).await;
                while !over.load(Ordering::Relaxed) {
                    if connection.exchange(&request).await.is_some() {
                        whole.fetch_add(1, Ordering::Relaxed);
                    } else {
                        broken.fetch_add(1, Ordering::Relaxed);
                        connection = Connection::open(peer.address).await;
                    }
                }
            }));
        }
        crowd
    }

    fn counts(&self) -> (u64, u64) {
        (self.whole.load(Ordering::Relaxed), self.broken.load(Ordering::Relaxed))
    }

    async fn count_for(&self, time: Duration) -> (u64, u64) {
        let before = self.counts();
        tokio::time::sleep(time).await;
        let now = self.counts();
        (now.0 - before.0, now.1 - before.1)
    }

    /// Lets everybody have the last answer.
    async fn dismiss(self) -> (u64, u64) {
        self.over.store(true, Ordering::Relaxed);
        let (whole, broken) = (Arc::clone(&self.whole), Arc::clone(&self.broken));
        for client in self.clients {
            client.await.unwrap();
        }
        (whole.load(Ordering::Relaxed), broken.load(Ordering::Relaxed))
    }
}

/// The ledger must say what the clients saw.
fn compare(data_dir: &Path, whole: u64, broken: u64) {
    let counts: Value = serde_json::from_str(&cli(data_dir, &["requests", "count", "--json"])).unwrap();
    let statuses = counts["statuses"].as_array().expect("statuses are counted");
    let count = |status: &str| {
        let facet = statuses.iter().find(|facet| facet["value"] == status);
        facet.and_then(|facet| facet["count"].as_u64()).unwrap_or(0)
    };
    assert_eq!(count("succeeded"), whole, "every whole answer has its row, and only that one");
    assert_eq!(count("failed"), broken, "every broken answer has its row, and only that one");
    assert_eq!(count("in_flight"), 0, "nothing is left open");
    println!("the ledger says the same");
}
