//! An admin at work, and the history they leave.

use serde::de::DeserializeOwned;
use serde_json::Value;
use signalbox_app::{App, AppError, Caller, Role, Source, changes, dto};
use signalbox_core::change::ChangeKind;
use signalbox_testkit::TestApp;

pub fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub fn anna() -> Caller {
    Caller { id: "anna".to_owned(), role: Role::Admin, source: Source::Cli }
}

/// A desk, and how many entries its history had when it was last looked at.
pub struct Desk {
    pub app: App,
    entries: u32,
}

impl Desk {
    pub async fn of(running: &TestApp) -> Self {
        let app = App::with_engine(running.engine.clone()).unwrap();
        let entries = changes::verify(&app, &anna()).await.unwrap().entries;
        Self { app, entries }
    }

    pub async fn newest(&self) -> dto::Change {
        let page = changes::page(&self.app, &anna(), dto::ChangeFilter::default(), None, 1).await.unwrap();
        page.rows.into_iter().next().unwrap()
    }

    /// Nothing has been written since the last look.
    pub async fn wrote_nothing(&self, what: &str) {
        let entries = changes::verify(&self.app, &anna()).await.unwrap().entries;
        assert_eq!(entries, self.entries, "{what} is no entry");
    }

    /// What was done is one entry of this kind, with all it should say.
    pub async fn wrote<T>(&mut self, what: &str, kind: ChangeKind, done: Result<T, AppError>) -> T {
        let done = done.map_err(|error| format!("{what}: {error} {:?}", error.details)).unwrap();
        self.wrote_by(what, kind, "anna").await;
        done
    }

    /// What happened is one entry of this kind by this actor, with all it should say.
    pub async fn wrote_by(&mut self, what: &str, kind: ChangeKind, actor: &str) {
        let chain = changes::verify(&self.app, &anna()).await.unwrap();
        assert!(chain.intact, "{what}");
        assert_eq!(chain.entries, self.entries + 1, "{what} is one entry");
        self.entries = chain.entries;
        let entry = self.newest().await;
        assert_eq!((entry.kind.as_str(), entry.seq), (kind.as_str(), chain.entries), "{what}");
        assert_eq!(entry.actor, actor, "{what}");
        assert!(["cli", "window", "guard"].contains(&entry.source.as_str()), "{what}");
        assert!(!entry.sentence.is_empty() && !entry.subject.is_empty(), "{what}");
        assert!(entry.before.is_some() || entry.after.is_some(), "{what} says what it was or is");
        assert_ne!(entry.before, entry.after, "{what} says what is different");
    }

    /// And it says why.
    pub async fn wrote_why<T>(&mut self, what: &str, kind: ChangeKind, done: Result<T, AppError>) -> T {
        let done = self.wrote(what, kind, done).await;
        assert_eq!(self.newest().await.reason.as_deref(), Some("because"), "{what}");
        done
    }

    /// The newest entry is reverted, which is an entry too.
    pub async fn reverted(&mut self, what: &str, kind: ChangeKind) {
        let newest = self.newest().await;
        assert!(newest.revertible, "{what} has a way back");
        let reverted = changes::revert(&self.app, &anna(), newest.seq, Some("because".to_owned())).await;
        self.wrote_why(&format!("{what}, reverted"), kind, reverted).await;
    }
}
