//! The real node, as its own process on one core.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use signalbox_simulator::RunningSimulator;

/// Keeps a process on one core, where the system has a way to.
pub fn pin(pid: u32, core: u32) {
    let _ = Command::new("taskset")
        .args(["-a", "-p", "-c", &core.to_string(), &pid.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// Lets a process use every core again.
pub fn unpin(pid: u32) {
    let _ = Command::new("taskset")
        .args(["-a", "-p", "0xffffffff", &pid.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// A program started on one core, where the system has a way to, so that it counts one core when it plans its threads.
pub fn on_core(core: u32, program: &str) -> Command {
    if Command::new("taskset").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err()
    {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string(), program]);
    command
}

/// The real node, release build, in a fresh data directory.
pub struct Node {
    process: Child,
    /// Where the gateway listens.
    pub listen: SocketAddr,
    /// An API key for every operation.
    pub key: String,
}

impl Node {
    /// Starts it with one provider, the simulator, and a route over these models of it.
    pub fn start(data_dir: &Path, simulator: &RunningSimulator, models: &[&str]) -> Self {
        let url = simulator.base_url_openai();
        cli(data_dir, &["providers", "add", "--kind", "openai", "--name", "bench", "--base-url", &url]);
        let targets: Vec<String> = models.iter().map(|model| format!("bench/{model}")).collect();
        for target in &targets {
            let prices = ["--input-usd-per-mtok", "0.3", "--output-usd-per-mtok", "1.2"];
            cli(data_dir, &[&["models", "add", target.as_str()], &prices[..]].concat());
        }
        let targets = targets.iter().map(String::as_str);
        cli(data_dir, &["routes", "set", "chat_message"].into_iter().chain(targets).collect::<Vec<_>>());
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

    /// Processor time it has used. Source: proc(5), fields 14 and 15 of `stat`, in hundredths of a second.
    pub fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let used = after_name.split_whitespace().skip(11).take(2);
        Duration::from_millis(10 * used.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>())
    }

    /// Memory in use now.
    pub fn resident_mib(&self) -> u64 {
        self.status_mib("VmRSS:")
    }

    /// The most memory that was ever in use.
    pub fn peak_mib(&self) -> u64 {
        self.status_mib("VmHWM:")
    }

    fn status_mib(&self, field: &str) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(field));
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

/// Runs the command line and gives its output.
pub fn cli(data_dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_signalbox-node"))
        .args(arguments)
        .arg("--data-dir")
        .arg(data_dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Checks the ledger and prints the verdict.
pub fn verify(data_dir: &Path) {
    let verdict = cli(data_dir, &["ledger", "verify"]);
    println!("ledger verify: {}", verdict.trim().lines().next().unwrap_or_default());
}

fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
