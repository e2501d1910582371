//! The real program on a temporary data directory.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Far beyond what a start takes; reached only when it hangs.
const START_MAX: Duration = Duration::from_secs(30);

/// An installation, used through the program alone.
pub struct Installation {
    directory: TempDir,
    variables: Vec<(String, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A serving instance; killed when dropped.
pub struct Serving {
    pub child: Child,
    /// E.g. `http://127.0.0.1:4180`.
    pub root: String,
    /// What it said when it was ready.
    pub greeting: String,
}

impl Installation {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// Gives every command this environment variable.
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = program(self.path());
        command.args(args).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, args: &[&str]) -> Ended {
        self.run_with_input(args, "").await
    }

    /// Runs a command that reads `input` from standard input.
    pub async fn run_with_input(&self, args: &[&str], input: &str) -> Ended {
        finish(self.command(args), input).await
    }

    /// Runs a command that must succeed and returns what it printed, trimmed.
    pub async fn ok(&self, args: &[&str]) -> String {
        let ended = self.run(args).await;
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
        ended.out.trim().to_owned()
    }

    /// Runs a command that prints JSON and must succeed.
    pub async fn json(&self, args: &[&str]) -> serde_json::Value {
        let mut all = args.to_vec();
        all.push("--json");
        serde_json::from_str(&self.ok(&all).await).unwrap()
    }

    /// Starts serving on a free port, without waiting until it is ready.
    pub fn spawn(&self, args: &[&str]) -> Child {
        let mut all = vec!["serve", "--listen", "127.0.0.1:0"];
        all.extend_from_slice(args);
        let mut command = self.command(&all);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        command.spawn().unwrap()
    }

    /// Starts serving on a free port and waits until it is ready.
    pub async fn serve(&self, args: &[&str]) -> Serving {
        ready(self.spawn(args)).await
    }
}

/// Waits until a started instance is ready.
pub async fn ready(mut child: Child) -> Serving {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut greeting = String::new();
    let reading = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            greeting.push_str(&line);
            greeting.push('\n');
            if line.trim_start().starts_with("API key") {
                break;
            }
        }
    };
    timeout(START_MAX, reading).await.expect("the program does not start");
    let word = greeting.split_whitespace().find(|word| word.starts_with("http://"));
    let base_url = word.unwrap_or_else(|| panic!("the program did not start: {greeting}"));
    Serving { child, root: base_url.trim_end_matches("/v1").to_owned(), greeting }
}

/// The program on a data directory, with nothing from the environment that would change what it does.
pub fn program(data_dir: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox-node"));
    for variable in
        ["DATABASE_URL", "SIGNALBOX_LISTEN", "SIGNALBOX_MASTER_KEY", "SIGNALBOX_PASSPHRASE", "RUST_LOG"]
    {
        command.env_remove(variable);
    }
    command.env("SIGNALBOX_DATA_DIR", data_dir).env("SIGNALBOX_NO_KEYCHAIN", "1").kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub async fn finish(mut command: Command, input: &str) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that does not read its input may have closed it.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let Output { status, stdout, stderr } = child.wait_with_output().await.unwrap();
    Ended {
        code: status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&stdout).into_owned(),
        err: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// A client that uses no proxy.
pub fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().tcp_nodelay(true).build().unwrap()
}
