//! A private `PostgreSQL` server of a test binary, with nothing but the standard library: the contract tests of the store
//! include this file as it is.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The URL of a new database without a schema; `None` where `PostgreSQL` is not installed, and then it has said so.
///
/// # Panics
///
/// It is installed and does not start.
#[must_use]
pub fn empty_database() -> Option<String> {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let server = server()?;
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut create = Command::new(server.programs.join("createdb"));
    let created = create.args(["-h", &server.folder, "-U", "postgres", &name]).status();
    assert!(created.is_ok_and(|status| status.success()), "the database {name} cannot be made");
    Some(server.url(&name))
}

/// A server of this test binary. It stops and removes its folder when the binary ends, however it ends: its shell waits
/// for the end of a pipe.
struct Server {
    folder: String,
    programs: PathBuf,
    _shell: Child,
}

impl Server {
    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder)
    }
}

fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(start_server).as_ref()
}

const SERVE: &str = r#"
set -e
cd /
folder=$(mktemp -d "$1/signalbox-postgres-XXXXXX")
trap '"$0/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1; rm -rf "$folder"' EXIT
"$0/initdb" -D "$folder/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
"$0/pg_ctl" -D "$folder/data" -l "$folder/log" -w -o "-c listen_addresses='' -c unix_socket_directories=$folder \
  -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200" start >/dev/null
echo "$folder"
cat >/dev/null
"#;

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn start_server() -> Option<Server> {
    let Some(programs) = postgres_programs() else {
        eprintln!("SKIPPED on PostgreSQL: no initdb in PATH or /usr/lib/postgresql/*/bin");
        return None;
    };
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    let mut command = if is_root {
        // The server refuses to run as root.
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    let mut shell = command
        .arg("-c")
        .arg(SERVE)
        .arg(&programs)
        .arg(std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut folder = String::new();
    BufReader::new(shell.stdout.take()?).read_line(&mut folder).ok()?;
    assert!(!folder.is_empty(), "the private PostgreSQL server did not start");
    Some(Server { folder: folder.trim_end().to_owned(), programs, _shell: shell })
}

/// The folder of the newest installed server's programs.
fn postgres_programs() -> Option<PathBuf> {
    let in_path = std::env::var_os("PATH")
        .into_iter()
        .flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let mut packaged: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    packaged.sort();
    packaged.into_iter().rev().chain(in_path).find(|folder| folder.join("initdb").is_file())
}
