//! What the gateway adds to a call, everything on: authentication, routing, pricing, two durable writes, rollups.
//!
//! The real node runs as its own process on one core; the simulator and the load generator share the other. Latency is
//! measured open-loop (a request is due at its time whether or not earlier ones have come back, and its latency counts from
//! then), so a stall shows. Every figure is measured against the simulator directly and through the gateway; the
//! difference is what we add. `cargo xtask bench` runs it.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark is a program for a person; it stops at the first fault"
)]
#![expect(clippy::disallowed_methods, reason = "the load generator has no engine to track its tasks")]

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use signalbox_simulator::{Dials, RunningSimulator, Simulator};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// How long each open-loop measurement runs.
const MEASURED: Duration = Duration::from_secs(8);
/// How long each throughput measurement runs.
const THROUGHPUT: Duration = Duration::from_secs(5);
/// Requests before measuring begins.
const WARM_UP: usize = 500;
/// Connections of the throughput measurement, as in published comparisons.
const THROUGHPUT_CONNECTIONS: usize = 16;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    pin(std::process::id(), 1);
    let simulator =
        Simulator::bind_ephemeral(Dials { require_key: false, ..Dials::default() }).await.unwrap();
    let data_dir = tempfile::tempdir().unwrap();
    let node = Node::start(data_dir.path(), &simulator);
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
                let without = open_loop(&direct, rate, streamed).await;
                let with = open_loop(&gateway, rate, streamed).await;
                row(&name, &without, &with);
            }
        }
    }
    simulator.dials().update(|dials| dials.latency_ms = 0);
    for streamed in [false, true] {
        let kind = if streamed { "streams" } else { "complete answers" };
        let without = throughput(&direct, streamed).await;
        let with = throughput(&gateway, streamed).await;
        println!("{kind} per second, {THROUGHPUT_CONNECTIONS} connections: direct {without}, gateway {with}");
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

/// Keeps a process on one core, where the system has a way to.
fn pin(pid: u32, core: u32) {
    let _ = Command::new("taskset")
        .args(["-a", "-p", "-c", &core.to_string(), &pid.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// A program started on one core, where the system has a way to, so that it counts one core when it plans its threads.
fn on_core(core: u32, program: &str) -> Command {
    if Command::new("taskset").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err()
    {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string(), program]);
    command
}

/// The real node, release build, in a fresh data directory.
struct Node {
    process: Child,
    listen: SocketAddr,
    key: String,
}

impl Node {
    fn start(data_dir: &Path, simulator: &RunningSimulator) -> Self {
        let url = simulator.base_url_openai();
        cli(data_dir, &["providers", "add", "--kind", "openai", "--name", "bench", "--base-url", &url]);
        cli(
            data_dir,
            &[
                "models",
                "add",
                "bench/sim-chat",
                "--input-usd-per-mtok",
                "0.3",
                "--output-usd-per-mtok",
                "1.2",
            ],
        );
        cli(data_dir, &["routes", "set", "chat_message", "bench/sim-chat"]);
        let created = cli(data_dir, &["keys", "create", "--name", "bench", "--json"]);
        let created: serde_json::Value = serde_json::from_str(&created).unwrap();
        let key = created["key"].as_str().expect("`keys create --json` prints the key").to_owned();
        let listen: SocketAddr = free_address();
        let process = on_core(0, env!("CARGO_BIN_EXE_signalbox-node"))
            .args(["serve", "--simulator", "off", "--listen", &listen.to_string(), "--data-dir"])
            .arg(data_dir)
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(listen).is_err() {
            assert!(Instant::now() < deadline, "the node did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, listen, key }
    }

    fn resident_mib(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib =
            line.and_then(|line| line.split_whitespace().next()).and_then(|text| text.parse::<u64>().ok());
        kib.unwrap_or(0) / 1_024
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

fn cli(data_dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_signalbox-node"))
        .args(arguments)
        .arg("--data-dir")
        .arg(data_dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn verify(data_dir: &Path) {
    let verdict = cli(data_dir, &["ledger", "verify"]);
    println!("ledger verify: {}", verdict.trim().lines().next().unwrap_or_default());
}

fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Someone to send requests to, with the bytes to send.
struct Peer {
    address: SocketAddr,
    complete: Arc<[u8]>,
    streamed: Arc<[u8]>,
}

impl Peer {
    fn new(address: SocketAddr, model: &str, key: &str) -> Self {
        let request = |streamed: bool| {
            let stream =
                if streamed { r#","stream":true,"stream_options":{"include_usage":true}"# } else { "" };
            let body = format!(
                r#"{{"model":"{model}","max_tokens":64,"messages":[{{"role":"system","content":"Answer briefly."}},{{"role":"user","content":"What does a signal box do on a railway?"}}]{stream}}}"#
            );
            let head = format!(
                "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            Arc::from([head.as_bytes(), body.as_bytes()].concat())
        };
        Self { address, complete: request(false), streamed: request(true) }
    }

    fn bytes(&self, streamed: bool) -> Arc<[u8]> {
        Arc::clone(if streamed { &self.streamed } else { &self.complete })
    }
}

/// One keep-alive connection of the least possible client: what is measured must not be the client.
struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        Self { socket, buffer: Vec::with_capacity(16_384) }
    }

    /// Sends and reads the whole answer; returns when its first byte of body came, or `None` if it is no success.
    async fn exchange(&mut self, request: &[u8]) -> Option<Instant> {
        self.socket.write_all(request).await.ok()?;
        self.buffer.clear();
        let mut first = None;
        loop {
            if self.socket.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
            let Some(head_end) = find(&self.buffer, b"\r\n\r\n") else { continue };
            let body = &self.buffer[head_end + 4..];
            if !body.is_empty() {
                first.get_or_insert_with(Instant::now);
            }
            let head = std::str::from_utf8(&self.buffer[..head_end]).ok()?;
            let complete = match content_length(head) {
                Some(length) => body.len() >= length,
                None => body.ends_with(b"0\r\n\r\n"),
            };
            if complete {
                let well = head.starts_with("HTTP/1.1 200")
                    && (content_length(head).is_some() || find(body, b"[DONE]").is_some());
                return first.filter(|_| well);
            }
        }
    }
}

fn content_length(head: &str) -> Option<usize> {
    head.lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|text| text.trim().parse().ok())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
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

/// As many requests as go through.
async fn throughput(peer: &Peer, streamed: bool) -> u64 {
    let answered = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..THROUGHPUT_CONNECTIONS {
        let (answered, request, address) = (Arc::clone(&answered), peer.bytes(streamed), peer.address);
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await;
            while began.elapsed() < THROUGHPUT {
                assert!(connection.exchange(&request).await.is_some(), "a request failed under load");
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    answered.load(Ordering::Relaxed) * 1_000 / u64::try_from(began.elapsed().as_millis()).unwrap()
}
