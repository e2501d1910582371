//! Toggles and the kill switch are kept, and the rows of locked toggles resist whoever writes past the store.

use signalbox_core::change::ChangeKind;
use signalbox_core::kill_switch::Stop;
use signalbox_core::toggle::{Toggle, Toggles, tampered};
use signalbox_store::{ConfigWrite, ToggleEdit};

use crate::database::{Database, on_both_databases};
use crate::samples::{MIDNIGHT, change, edit, operation_id};

fn set(operation: Option<&str>, enabled: Option<bool>) -> ConfigWrite {
    ConfigWrite::PutToggle(ToggleEdit {
        toggle: Toggle::LogPayloads.settable().unwrap(),
        operation: operation.map(operation_id),
        enabled,
    })
}

fn stop() -> Stop {
    Stop {
        at: MIDNIGHT,
        by: "local".to_owned(),
        source: "cli".to_owned(),
        reason: Some("a loop spends".to_owned()),
    }
}

async fn is_on(db: &Database, operation: Option<&str>) -> bool {
    let config = db.open_again().await.load_config().await.unwrap();
    Toggles::of(&config.toggles).is_on(Toggle::LogPayloads, operation.map(operation_id).as_ref())
}

/// Takes the guards away, as somebody with the file or the password could.
async fn without_triggers(db: &Database) {
    let statement = if db.is_sqlite() {
        "DROP TRIGGER toggles_locked_stay_off; DROP TRIGGER toggles_locked_stay"
    } else {
        "DROP TRIGGER toggles_locked_are_off ON toggles; DROP TRIGGER toggles_locked_stay ON toggles"
    };
    db.run_behind_its_back(statement).await.unwrap();
}

on_both_databases! {
    async fn a_toggle_is_kept_for_all_and_per_operation_until_it_is_unset(db: &Database) {
        assert!(!is_on(db, None).await);
        db.store.write_config(vec![edit(vec![set(None, Some(true)), set(Some("chat_message"), Some(false))])]).await.unwrap();
        assert!(is_on(db, None).await && is_on(db, Some("email_analysis")).await);
        assert!(!is_on(db, Some("chat_message")).await);
        let rows = db.store.toggles().await.unwrap();
        let row = rows.iter().find(|row| row.name == "log_payloads" && row.operation.is_none()).unwrap();
        let told = change(ChangeKind::Route, "chat_message");
        assert_eq!((row.changed_by.as_str(), row.note.as_deref()), (told.actor.as_str(), told.reason.as_deref()));
        db.store.write_config(vec![edit(vec![set(Some("chat_message"), None)])]).await.unwrap();
        assert!(is_on(db, Some("chat_message")).await);
    }

    async fn a_new_database_has_the_locked_toggles_off_and_untampered(db: &Database) {
        let stored = db.store.toggles().await.unwrap();
        assert!(tampered(&stored).is_empty());
        assert_eq!(stored.len(), Toggle::locked().count());
    }

    async fn no_statement_switches_renames_or_removes_a_locked_toggle(db: &Database) {
        for locked in Toggle::locked() {
            let name = locked.toggle().name();
            for statement in [
                format!("UPDATE toggles SET enabled = TRUE WHERE name = '{name}'"),
                format!("UPDATE toggles SET name = 'other' WHERE name = '{name}'"),
                format!("UPDATE toggles SET operation = 'chat_message' WHERE name = '{name}'"),
                format!("DELETE FROM toggles WHERE name = '{name}'"),
                "DELETE FROM toggles".to_owned(),
                "UPDATE toggles SET enabled = TRUE".to_owned(),
                format!("INSERT INTO toggles (name, operation, enabled, changed_at, changed_by) VALUES ('{name}', 'a', TRUE, 0, 'x')"),
            ] {
                assert!(db.run_behind_its_back(&statement).await.is_err(), "{statement}");
            }
        }
        assert!(tampered(&db.store.toggles().await.unwrap()).is_empty());
    }

    async fn a_row_that_was_switched_or_removed_past_its_guards_is_found_and_repaired(db: &Database) {
        without_triggers(db).await;
        for locked in Toggle::locked() {
            let name = locked.toggle().name();
            for statement in ["UPDATE toggles SET enabled = TRUE WHERE name = ", "DELETE FROM toggles WHERE name = "] {
                db.run_behind_its_back(&format!("{statement}'{name}'")).await.unwrap();
                assert_eq!(tampered(&db.store.toggles().await.unwrap()), [locked]);
                db.store.write_config(vec![edit(vec![ConfigWrite::RepairToggle(locked)])]).await.unwrap();
                assert!(tampered(&db.store.toggles().await.unwrap()).is_empty());
            }
        }
    }

    async fn a_stop_outlives_its_process_until_it_is_released(db: &Database) {
        assert_eq!(db.store.kill_switch().await.unwrap(), None);
        db.store.write_config(vec![edit(vec![ConfigWrite::PutKillSwitch(Some(stop()))])]).await.unwrap();
        assert_eq!(db.open_again().await.kill_switch().await.unwrap(), Some(stop()));
        assert!(db.run_behind_its_back("DELETE FROM kill_switch").await.is_err());
        db.store.write_config(vec![edit(vec![ConfigWrite::PutKillSwitch(None)])]).await.unwrap();
        assert_eq!(db.open_again().await.kill_switch().await.unwrap(), None);
    }
}
