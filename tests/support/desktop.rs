//! A desktop of one's own: a screen with a keyboard, a session bus, a panel with a tray, and a place for notifications.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, MapState,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use zbus::Connection;
use zbus::zvariant::{OwnedValue, Value};

use super::panel::{Notifications, Tray, Watcher};
use super::{Display, at_home};

/// Keys as X names them.
pub mod key {
    pub const CONTROL: u32 = 0xffe3;
    pub const SHIFT: u32 = 0xffe1;
    pub const ENTER: u32 = 0xff0d;
    pub const ESCAPE: u32 = 0xff1b;
    pub const A: u32 = 0x61;
}

/// What somebody has who sits at a machine.
pub struct Desktop {
    home: TempDir,
    display: Display,
    screen: RustConnection,
    bus: Child,
    bus_address: String,
    panel: Connection,
    tray: Arc<Mutex<Tray>>,
    notes: Arc<Mutex<Vec<String>>>,
}

impl Desktop {
    /// One with a panel that shows tray icons.
    pub async fn start() -> Self {
        let display = Display::own();
        let (screen, _) = x11rb::connect(Some(&display.name)).unwrap();
        let mut bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus is installed by `cargo xtask test`");
        let mut line = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let bus_address = line.trim().to_owned();
        let (tray, notes) = (Arc::new(Mutex::new(Tray { is_shown: true, icon: None })), Arc::default());
        let panel = zbus::connection::Builder::address(bus_address.as_str())
            .unwrap()
            .serve_at("/StatusNotifierWatcher", Watcher(Arc::clone(&tray)))
            .unwrap()
            .serve_at("/org/freedesktop/Notifications", Notifications(Arc::clone(&notes)))
            .unwrap()
            .name("org.kde.StatusNotifierWatcher")
            .unwrap()
            .name("org.freedesktop.Notifications")
            .unwrap()
            .build()
            .await
            .unwrap();
        Self { home: tempfile::tempdir().unwrap(), display, screen, bus, bus_address, panel, tray, notes }
    }

    /// Where the program of this desktop keeps its data.
    pub fn data_dir(&self) -> PathBuf {
        self.home.path().join("data/signalbox")
    }

    /// Lets a program run on this desktop.
    pub fn surround(&self, command: &mut Command) {
        at_home(command, self.home.path())
            .env("DISPLAY", &self.display.name)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus_address)
            .env("GDK_BACKEND", "x11")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("SIGNALBOX_DATA_DIR");
    }

    /// Starts the program once more.
    pub fn run(&self, arguments: &[&str]) -> ExitStatus {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
        self.surround(&mut command);
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap()
    }

    /// The panel shows tray icons from now on, or no longer does.
    pub fn show_tray(&self, is_shown: bool) {
        self.tray.lock().unwrap().is_shown = is_shown;
    }

    /// The titles of the notifications so far.
    pub fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap().clone()
    }

    /// What the menu of the tray icon says, separators left out; nothing before the icon is there.
    pub async fn menu(&self) -> Vec<Line> {
        let Some((owner, menu)) = self.menu_of_icon().await else { return Vec::new() };
        let wanted: Vec<&str> = vec!["label"];
        let asked = (0_i32, -1_i32, wanted);
        let answer = self.panel.call_method(
            Some(owner.as_str()),
            menu.as_str(),
            Some("com.canonical.dbusmenu"),
            "GetLayout",
            &asked,
        );
        let Ok(answer) = answer.await else { return Vec::new() };
        let (_, (_, _, children)): (u32, Layout) = answer.body().deserialize().unwrap();
        children.into_iter().filter_map(Line::read).collect()
    }

    /// Clicks the line of the menu that contains a text.
    pub async fn click_in_menu(&self, text: &str) {
        let lines = self.menu().await;
        let line = lines.iter().find(|line| line.label.contains(text));
        let line = line.unwrap_or_else(|| panic!("the menu has no `{text}`: {lines:?}"));
        let (owner, menu) = self.menu_of_icon().await.unwrap();
        let event = (line.id, "clicked", Value::from(0_i32), 0_u32);
        self.panel
            .call_method(Some(owner.as_str()), menu.as_str(), Some("com.canonical.dbusmenu"), "Event", &event)
            .await
            .unwrap();
    }

    async fn menu_of_icon(&self) -> Option<(String, String)> {
        let (owner, path) = self.tray.lock().unwrap().icon.clone()?;
        let property = ("org.kde.StatusNotifierItem", "Menu");
        let interface = Some("org.freedesktop.DBus.Properties");
        let answer =
            self.panel.call_method(Some(owner.as_str()), path.as_str(), interface, "Get", &property).await;
        let value: OwnedValue = answer.ok()?.body().deserialize().ok()?;
        match &*value {
            Value::ObjectPath(menu) => Some((owner, menu.to_string())),
            _ => None,
        }
    }

    /// Presses keys together, as a hand on the keyboard does.
    pub fn press(&self, keysyms: &[u32]) {
        let codes: Vec<u8> = keysyms.iter().map(|keysym| self.code_of(*keysym)).collect();
        let root = self.root();
        let fake = |kind, code| {
            self.screen.xtest_fake_input(kind, code, 0, root, 0, 0, 0).unwrap().check().unwrap();
        };
        for code in &codes {
            fake(KEY_PRESS_EVENT, *code);
        }
        for code in codes.iter().rev() {
            fake(KEY_RELEASE_EVENT, *code);
        }
    }

    fn code_of(&self, keysym: u32) -> u8 {
        let (first, last) = (self.screen.setup().min_keycode, self.screen.setup().max_keycode);
        let mapping = self.screen.get_keyboard_mapping(first, last - first + 1).unwrap().reply().unwrap();
        let per_code = usize::from(mapping.keysyms_per_keycode);
        let place = mapping.keysyms.chunks(per_code).position(|keysyms| keysyms[0] == keysym);
        first + u8::try_from(place.expect("the keyboard has the key")).unwrap()
    }

    fn root(&self) -> u32 {
        self.screen.setup().roots[0].root
    }

    fn atom(&self, name: &str) -> u32 {
        self.screen.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom
    }

    /// The window of that title, whether it is to be seen or not.
    fn window(&self, title: &str) -> Option<u32> {
        let protocols = self.atom("WM_PROTOCOLS");
        let children = self.screen.query_tree(self.root()).unwrap().reply().unwrap().children;
        children.into_iter().find(|window| {
            let property = |name: u32| {
                let read = self.screen.get_property(false, *window, name, AtomEnum::ANY, 0, 1_024);
                read.ok().and_then(|cookie| cookie.reply().ok()).map(|reply| reply.value).unwrap_or_default()
            };
            // Only what a person can close: others bear the program's name, too.
            property(AtomEnum::WM_NAME.into()) == title.as_bytes() && !property(protocols).is_empty()
        })
    }

    /// Whether the window of that title is to be seen.
    pub fn shows(&self, title: &str) -> bool {
        let Some(window) = self.window(title) else { return false };
        let read = self.screen.get_window_attributes(window).unwrap().reply();
        read.is_ok_and(|attributes| attributes.map_state == MapState::VIEWABLE)
    }

    /// Closes the window of that title by the cross in its corner.
    pub fn close(&self, title: &str) {
        let window = self.window(title).expect("there is the window");
        let (protocols, delete) = (self.atom("WM_PROTOCOLS"), self.atom("WM_DELETE_WINDOW"));
        let message = ClientMessageEvent::new(32, window, protocols, [delete, 0, 0, 0, 0]);
        self.screen.send_event(false, window, EventMask::NO_EVENT, message).unwrap().check().unwrap();
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}

/// An entry of a menu, its properties, and what is below it.
type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

/// A line of the tray's menu.
#[derive(Debug)]
pub struct Line {
    id: i32,
    pub label: String,
}

impl Line {
    fn read(value: OwnedValue) -> Option<Self> {
        let (id, properties, _): Layout = value.try_into().ok()?;
        let label = properties.get("label").and_then(|value| value.downcast_ref::<String>().ok())?;
        // One underscore marks the key of an entry, two are one.
        let label = label.replace("__", "_");
        Some(Self { id, label })
    }
}
