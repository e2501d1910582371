//! What the gateway adds to a call, everything on: authentication, routing, pricing, two durable writes, rollups.
//!
//! The real node runs as its own process on one core; the simulator and the load generator share the other. Latency is
//! measured open-loop (a request is due at its time whether or not earlier ones have come back, and its latency counts from
//! then), so a stall shows. Every figure is measured against the simulator directly and through the gateway; the
//! difference is what we add. The processor time per request tells how far a machine goes whatever else runs on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use signalbox_simulator::{Dials, Simulator};
use tokio::sync::mpsc;

use crate::Only;
use crate::node::{Node, pin, verify};
use crate::peer::{Connection, Peer};

/// How long each open-loop measurement runs.
const MEASURED: Duration = Duration::from_secs(8);
/// How long each throughput measurement runs.
const THROUGHPUT: Duration = Duration::from_secs(5);
/// Long enough for the ledger's journal to be full, if the database does not keep up with the requests.
const SUSTAINED: Duration = Duration::from_secs(45);
/// Requests before measuring begins.
const WARM_UP: usize = 500;
/// Connections of the throughput measurement, as in published comparisons.
const THROUGHPUT_CONNECTIONS: usize = 16;

/// Measures what was chosen.
pub async fn run(only: &Only) {
    pin(std::process::id(), 1);
    let simulator =
        Simulator::bind_ephemeral(Dials { require_key: false, ..Dials::default() }).await.unwrap();
    let data_dir = tempfile::tempdir().unwrap();
    let node = Node::start(data_dir.path(), &simulator, &["sim-chat"]);
    let direct = Peer::new(simulator.addr(), "sim-chat", "none");
    let gateway = Peer::new(node.listen, "op:chat_message", &node.key);
    println!(
        "{:<34} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "direct", "", "", "gateway", "", "", "added"
    );
    println!(
        "{:<34} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>17}",
        "milliseconds", "p50", "p95", "p99", "p50", "p95", "p99", "p50/p99"
    );
    for latency_ms in [0, 50] {
        simulator.dials().update(|dials| dials.latency_ms = latency_ms);
        for rate in [100, 1_000] {
            for streamed in [false, true] {
                let kind = if streamed { "stream, first byte" } else { "complete" };
                let name = format!("{kind}, {rate}/s, provider {latency_ms} ms");
                if !only.includes(&name) {
                    continue;
                }
                let without = open_loop(&direct, rate, streamed).await;
                let with = open_loop(&gateway, rate, streamed).await;
                row(&name, &without, &with);
            }
        }
    }
    simulator.dials().update(|dials| dials.latency_ms = 0);
    for streamed in [false, true] {
        let kind = if streamed { "streams" } else { "complete answers" };
        let name = format!("{kind} per second, {THROUGHPUT_CONNECTIONS} connections");
        if !only.includes(&name) {
            continue;
        }
        let without = throughput(&direct, streamed, THROUGHPUT).await;
        let used = node.processor_time();
        let with = throughput(&gateway, streamed, THROUGHPUT).await;
        let each =
            (node.processor_time().saturating_sub(used)).as_micros() / u128::from(with.requests.max(1));
        println!(
            "{name}: direct {}, gateway {} ({each} µs of processor each)",
            without.per_second(),
            with.per_second()
        );
    }
    if only.includes("sustained") {
        let with = throughput(&gateway, false, SUSTAINED).await;
        println!("sustained for {} s: gateway {} per second", SUSTAINED.as_secs(), with.per_second());
    }
    println!("gateway memory after all that: {} MiB resident", node.resident_mib());
    drop(node);
    verify(data_dir.path());
    simulator.shutdown().await;
}

fn row(name: &str, without: &Latencies, with: &Latencies) {
    let ms = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1_000.0;
    println!(
        "{name:<34} {:>9.3} {:>9.3} {:>9.3} {:>9.3} {:>9.3} {:>9.3} {:>8.3}/{:.3}{}",
        ms(without.at(50)),
        ms(without.at(95)),
        ms(without.at(99)),
        ms(with.at(50)),
        ms(with.at(95)),
        ms(with.at(99)),
        ms(with.at(50)) - ms(without.at(50)),
        ms(with.at(99)) - ms(without.at(99)),
        if with.failures > 0 { format!("  ({} FAILED)", with.failures) } else { String::new() },
    );
}

#[derive(Default)]
struct Latencies {
    micros: Vec<u64>,
    failures: usize,
}

impl Latencies {
    fn at(&self, percent: usize) -> u64 {
        let rank = (self.micros.len() * percent).div_ceil(100).clamp(1, self.micros.len().max(1));
        self.micros.get(rank - 1).copied().unwrap_or(0)
    }
}

/// Requests at a fixed rate, each due at its time whatever became of the others.
async fn open_loop(peer: &Peer, rate: u32, streamed: bool) -> Latencies {
    let workers = if rate >= 1_000 { 256 } else { 32 };
    let (due_to, due) = mpsc::unbounded_channel::<Instant>();
    let due = Arc::new(tokio::sync::Mutex::new(due));
    let (done_to, mut done) = mpsc::unbounded_channel();
    let mut connections = Vec::with_capacity(workers);
    for _ in 0..workers {
        connections.push(Connection::open(peer.address).await);
    }
    let request = peer.bytes(streamed);
    for index in 0..WARM_UP {
        let connection = &mut connections[index % workers];
        assert!(
            connection.exchange(&request).await.is_some(),
            "the warm-up fails: {}",
            String::from_utf8_lossy(&connection.buffer)
        );
    }
    for mut connection in connections {
        let (due, done_to, request) = (Arc::clone(&due), done_to.clone(), Arc::clone(&request));
        tokio::spawn(async move {
            loop {
                let Some(at) = due.lock().await.recv().await else { return };
                let first = connection.exchange(&request).await;
                let end = if streamed { first } else { first.map(|_| Instant::now()) };
                let _ = done_to.send(end.map(|end| end.duration_since(at)));
            }
        });
    }
    drop(done_to);
    let began = Instant::now();
    let gap = Duration::from_secs(1) / rate;
    let count = u32::try_from(MEASURED.as_millis()).unwrap() * rate / 1_000;
    for index in 0..count {
        let at = began + gap * index;
        tokio::time::sleep_until(at.into()).await;
        // The timer wakes on whole milliseconds; a request is due when it can really be sent.
        due_to.send(Instant::now().max(at)).unwrap();
    }
    drop(due_to);
    let mut latencies = Latencies::default();
    while let Some(result) = done.recv().await {
        match result {
            Some(latency) => latencies.micros.push(u64::try_from(latency.as_micros()).unwrap()),
            None => latencies.failures += 1,
        }
    }
    latencies.micros.sort_unstable();
    latencies
}

/// How much went through.
struct Throughput {
    requests: u64,
    took: Duration,
}

impl Throughput {
    fn per_second(&self) -> u64 {
        self.requests * 1_000 / u64::try_from(self.took.as_millis()).unwrap()
    }
}

/// As many requests as go through.
async fn throughput(peer: &Peer, streamed: bool, length: Duration) -> Throughput {
    let answered = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..THROUGHPUT_CONNECTIONS {
        let (answered, request, address) = (Arc::clone(&answered), peer.bytes(streamed), peer.address);
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await;
            while began.elapsed() < length {
                assert!(connection.exchange(&request).await.is_some(), "a request failed under load");
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    Throughput { requests: answered.load(Ordering::Relaxed), took: began.elapsed() }
}
