//! The built app in a real window, driven through the web view's driver.
//!
//! The web view's own driver starts the app; both stand in one process group, because ending the driver alone would leave
//! the app running. Without a display a virtual one is started. Each window has a data directory and a port of its own; one
//! on a [`Desktop`] is the usual instance of somebody who has nothing else there.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests stop at the first fault"
)]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use thirtyfour::prelude::*;
use thirtyfour::{Capabilities, WindowHandle};

pub mod desktop;
pub mod installation;
mod panel;

use desktop::Desktop;

/// How long an element may take to appear on a busy two-core machine.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A display of its own, unless there is one.
struct Display {
    name: String,
    server: Option<Child>,
}

impl Display {
    fn get() -> Self {
        match std::env::var("DISPLAY") {
            Ok(name) => Self { name, server: None },
            Err(_) => Self::own(),
        }
    }

    fn own() -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed by `cargo xtask test`");
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Self { name: format!(":{}", number.trim()), server: Some(server) }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// A running app with its window.
pub struct Window {
    /// To find and click things.
    pub driver: WebDriver,
    /// Where its gateway listens.
    pub listen: SocketAddr,
    process: Child,
    _display: Option<Display>,
}

impl Window {
    /// Starts the app on a data directory and waits for its page.
    pub async fn open(data_dir: &Path) -> Self {
        let display = Display::get();
        let mut driver = driver();
        at_home(&mut driver, data_dir).env("DISPLAY", &display.name).env("SIGNALBOX_DATA_DIR", data_dir);
        Self::start(driver, Some(display)).await
    }

    /// Starts the app as the usual instance of a desktop.
    pub async fn open_on(desktop: &Desktop) -> Self {
        let mut driver = driver();
        desktop.surround(&mut driver);
        Self::start(driver, None).await
    }

    async fn start(mut driver: Command, display: Option<Display>) -> Self {
        let listen = free_address();
        let driver_address = free_address();
        let process = driver
            .arg(format!("--port={}", driver_address.port()))
            .env("SIGNALBOX_LISTEN", listen.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("WebKitWebDriver is installed by `cargo xtask test`");
        wait_for_port(driver_address);
        let mut capabilities = Capabilities::new();
        let options = serde_json::json!({ "binary": env!("CARGO_BIN_EXE_signalbox"), "args": [] });
        capabilities.set("webkitgtk:browserOptions", options).unwrap();
        let driver = WebDriver::new(format!("http://{driver_address}"), capabilities).await.unwrap();
        Self { driver, listen, process, _display: display }
    }

    /// The element with that `data-testid`, once it is there to be seen.
    pub async fn find(&self, test_id: &str) -> WebElement {
        let query =
            self.driver.query(By::Css(format!("[data-testid=\"{test_id}\"]"))).wait(PATIENCE, LOOK_AGAIN);
        match query.and_displayed().first().await {
            Ok(element) => element,
            Err(error) => {
                let text = self.driver.find(By::Tag("body")).await.unwrap().text().await.unwrap_or_default();
                self.keep_picture(test_id).await;
                panic!("`{test_id}` does not appear ({error}); the page reads:\n{text}");
            }
        }
    }

    /// Whether an element with that `data-testid` is there now.
    pub async fn has(&self, test_id: &str) -> bool {
        let found = self.driver.find_all(By::Css(format!("[data-testid=\"{test_id}\"]"))).await.unwrap();
        !found.is_empty()
    }

    /// Clicks the element with that `data-testid`.
    pub async fn click(&self, test_id: &str) {
        let element = self.find(test_id).await;
        element.wait_until().wait(PATIENCE, LOOK_AGAIN).enabled().await.unwrap();
        // A scripted click: sheets that slide in would make the driver miss.
        let argument = element.to_json().unwrap();
        self.driver.execute("arguments[0].click()", vec![argument]).await.unwrap();
    }

    /// Waits until the element's text contains the wanted text.
    pub async fn reads(&self, test_id: &str, wanted: &str) {
        let css = format!("[data-testid=\"{test_id}\"]");
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut seen = String::new();
        while tokio::time::Instant::now() < deadline {
            if let Ok(element) = self.driver.find(By::Css(css.as_str())).await {
                // Not the driver's own idea of visible text, which leaves out text in some flex boxes.
                seen = element.prop("textContent").await.ok().flatten().unwrap_or_default();
                if seen.contains(wanted) {
                    return;
                }
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        self.keep_picture(test_id).await;
        panic!("`{test_id}` never reads `{wanted}`; last seen: {seen}");
    }

    /// Keeps what the window showed when a test failed.
    async fn keep_picture(&self, test_id: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let path = folder.join(format!("window-without-{test_id}.png"));
        if self.driver.screenshot(&path).await.is_ok() {
            eprintln!("the window is pictured in {}", path.display());
        }
    }

    /// Goes to a screen by its address within the app, e.g. `/logs`.
    pub async fn go(&self, route: &str) {
        let script =
            format!("window.location.hash = {}", serde_json::to_string(&format!("#{route}")).unwrap());
        self.driver.execute(script, Vec::new()).await.unwrap();
    }

    /// Waits until a screen is there and nothing on it is still being read or moving.
    pub async fn settles(&self) {
        const SETTLED: &str = "
            const answer = arguments[arguments.length - 1];
            let quiet = 0;
            const look = () => {
                const reading = document.querySelector('[role=status][aria-label^=\"Reading\"]');
                const moving = document.getAnimations().some((one) => one.playState === 'running');
                const there = document.querySelector('[data-testid^=page-]');
                quiet = there && !reading && !moving ? quiet + 1 : 0;
                // What begins to move only after the next frame is waited for, too.
                if (quiet > 3) answer(true); else setTimeout(look, 50);
            };
            requestAnimationFrame(look);
        ";
        self.driver.execute_async(SETTLED, Vec::new()).await.unwrap();
    }

    /// Writes what the window shows to a file.
    pub async fn screenshot(&self, path: &Path) {
        self.driver.screenshot(path).await.unwrap();
    }

    /// Ends app and driver, politely first, so that the ledger is closed as on a person's quit.
    pub async fn close(mut self) {
        let _ = self.driver.clone().quit().await;
        self.end();
    }

    fn end(&mut self) {
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-TERM", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.process.wait();
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
    }

    /// Turns to the window that has the element with that `data-testid`, once it is there.
    pub async fn look_at(&self, test_id: &str) {
        let css = format!("[data-testid=\"{test_id}\"]");
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            for window in self.windows().await {
                if self.driver.switch_to_window(window).await.is_ok()
                    && self.driver.find(By::Css(css.as_str())).await.is_ok()
                {
                    return;
                }
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        panic!("no window has `{test_id}`");
    }

    /// Which windows there are; at first the app has one.
    pub async fn windows(&self) -> Vec<WindowHandle> {
        self.driver.windows().await.unwrap()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.end();
    }
}

fn driver() -> Command {
    let mut driver = Command::new("WebKitWebDriver");
    driver.arg("--host=127.0.0.1").env("TAURI_WEBVIEW_AUTOMATION", "true");
    driver
}

/// Whatever the program keeps for a person is kept below a folder.
fn at_home<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    command
        .env("SIGNALBOX_NO_KEYCHAIN", "1")
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("HOME", home)
}

fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn wait_for_port(address: SocketAddr) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(address).is_err() {
        assert!(std::time::Instant::now() < deadline, "nothing listens on {address}");
        std::thread::sleep(LOOK_AGAIN);
    }
}
