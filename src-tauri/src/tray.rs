//! The tray icon: how the gateway stands, what was spent today, what waits for a person, the kill switch, open, quit. It is
//! brought up to date by what changes, and leads to approvals without deciding any: what is decided must be seen first. The
//! program is whole without one.

mod icon;
#[cfg(target_os = "linux")]
mod watcher;
mod words;

use std::sync::{Mutex, PoisonError};

use signalbox_app::dto::CacheTag;
use signalbox_app::{App, Caller, Source, approvals, dto, kill_switch, status};
use tauri::menu::{Menu, MenuBuilder, MenuItem, MenuItemBuilder};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager, Runtime};

use self::icon::Dot;
use crate::place::Place;
use crate::shell::Shell;
use crate::{quick, window};

/// The icon's name within the program.
const ID: &str = "main";

const OPEN: &str = "open";
const QUIT: &str = "quit";
const STOP: &str = "stop";
const WAITING: &str = "waiting";

/// Approvals that have a line of their own: as many as one looks through without reading.
const APPROVALS_SHOWN: u32 = 5;
/// Where the first of them stands: below the state, a separator, and how many wait.
const FIRST_APPROVAL: usize = 3;

/// What is kept up to date.
struct Tray<R: Runtime> {
    menu: Menu<R>,
    status: MenuItem<R>,
    waiting: MenuItem<R>,
    kill_switch: MenuItem<R>,
    /// The lines of approvals, in order. Each is made for one approval and keeps its id, so that a click never meets another.
    approvals: Mutex<Vec<MenuItem<R>>>,
    dot: Mutex<Dot>,
}

/// Puts the icon up where the desktop has a place for it.
pub fn install<R: Runtime>(app: &AppHandle<R>) {
    if !has_bus() {
        return;
    }
    if let Err(error) = build(app) {
        tracing::info!(%error, "no tray icon here");
    }
}

/// Linux trays live on the session bus; without one the library behind the icon would only complain.
fn has_bus() -> bool {
    !cfg!(target_os = "linux") || std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some()
}

/// Whether a person can see the icon now.
pub async fn is_to_be_seen<R: Runtime>(app: &AppHandle<R>) -> bool {
    if app.tray_by_id(ID).is_none() {
        return false;
    }
    #[cfg(target_os = "linux")]
    return watcher::has_host().await;
    #[cfg(not(target_os = "linux"))]
    true
}

fn build<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<()> {
    let status = MenuItemBuilder::new("Starting…").enabled(false).build(app)?;
    let waiting = MenuItemBuilder::with_id(WAITING, words::waiting(0)).enabled(false).build(app)?;
    let kill_switch = MenuItemBuilder::with_id(STOP, words::kill_switch(false)).build(app)?;
    let menu = MenuBuilder::new(app)
        .item(&status)
        .separator()
        .item(&waiting)
        .separator()
        .item(&kill_switch)
        .separator()
        .text(OPEN, "Open Signalbox")
        .text(QUIT, "Quit")
        .build()?;
    TrayIconBuilder::with_id(ID)
        .icon(icon::with(Dot::None)?)
        .tooltip("Signalbox")
        .menu(&menu)
        .on_menu_event(|app, event| match event.id().as_ref() {
            OPEN => window::show(app),
            QUIT => app.exit(0),
            STOP => stop_or_show(app),
            WAITING => quick::show(app),
            other => {
                if let Ok(approval) = other.parse() {
                    window::show_place(app, Place::Approval(approval));
                }
            }
        })
        .build(app)?;
    let (approvals, dot) = (Mutex::default(), Mutex::new(Dot::None));
    app.manage(Tray { menu, status, waiting, kill_switch, approvals, dot });
    Ok(())
}

/// Stops all AI traffic, without a question: whoever reaches for the tray is in a hurry. Letting it run again is done in the
/// window, where a word is typed.
fn stop_or_show<R: Runtime>(app: &AppHandle<R>) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let shell = app.state::<Shell>();
        let (Ok(backend), Ok(caller)) = (shell.app(), shell.caller().await) else {
            return window::show(&app);
        };
        let caller = Caller { source: Source::Tray, ..caller };
        let is_stopped =
            kill_switch::state(&backend, &caller).await.is_ok_and(|state| state.stopped.is_some());
        if !is_stopped {
            let engaged = kill_switch::engage(&backend, &caller, dto::KillSwitchInput { reason: None }).await;
            if let Err(error) = engaged {
                tracing::error!(%error, "the tray's stop is not kept");
            }
        }
        window::show(&app);
    });
}

/// Brings the lines up to date with what has changed.
pub async fn refresh<R: Runtime>(app: &AppHandle<R>, changed: &[CacheTag]) {
    let Some(tray) = app.try_state::<Tray<R>>() else { return };
    let shell = app.state::<Shell>();
    let (Ok(backend), Ok(caller)) = (shell.app(), shell.caller().await) else { return };
    if changed.contains(&CacheTag::Approvals) {
        show_approvals(app, &tray, &backend, &caller).await;
    }
    if let Ok(status) = status::status(&backend, &caller).await {
        let in_words = words::status(&status);
        let _ = tray.status.set_text(&in_words);
        let _ = tray.kill_switch.set_text(words::kill_switch(status.stopped.is_some()));
        let Some(icon) = app.tray_by_id(ID) else { return };
        let _ = icon.set_tooltip(Some(format!("Signalbox: {in_words}")));
        let dot = Dot::of(&status);
        let before = std::mem::replace(&mut *tray.dot.lock().unwrap_or_else(PoisonError::into_inner), dot);
        if dot != before
            && let Ok(image) = icon::with(dot)
        {
            let _ = icon.set_icon(Some(image));
        }
    }
}

async fn show_approvals<R: Runtime>(app: &AppHandle<R>, tray: &Tray<R>, backend: &App, caller: &Caller) {
    let list = dto::ApprovalList::Pending;
    let Ok(page) = approvals::page(backend, caller, list, None, APPROVALS_SHOWN).await else { return };
    let mut shown = tray.approvals.lock().unwrap_or_else(PoisonError::into_inner);
    // Lines that stay are left alone, so that an open menu does not jump.
    shown.retain(|item| {
        let stays = page.rows.iter().any(|row| row.id == item.id().as_ref());
        stays || tray.menu.remove(item).is_err()
    });
    for (place, row) in page.rows.iter().enumerate() {
        if shown.get(place).is_some_and(|item| item.id().as_ref() == row.id) {
            continue;
        }
        if let Some(later) = shown.iter().position(|item| item.id().as_ref() == row.id) {
            let _ = tray.menu.remove(&shown.remove(later));
        }
        let place = place.min(shown.len());
        let item = MenuItemBuilder::with_id(row.id.as_str(), words::approval(row)).build(app);
        if let Ok(item) = item
            && tray.menu.insert(&item, FIRST_APPROVAL + place).is_ok()
        {
            shown.insert(place, item);
        }
    }
    let _ = tray.waiting.set_text(words::waiting(page.pending));
    let _ = tray.waiting.set_enabled(page.pending > 0);
}
