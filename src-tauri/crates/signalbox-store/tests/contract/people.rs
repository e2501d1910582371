//! People: who may come in, and that somebody always may change things.

use signalbox_core::ids::PersonName;
use signalbox_core::person::{LOCAL, Person, Role};
use signalbox_store::{ConfigWrite, StoreError};

use crate::database::on_both_databases;
use crate::samples::{MIDNIGHT, edit};

fn person(name: &str, role: Role) -> Person {
    let name = PersonName::new(name).unwrap();
    Person { name, role, enabled: true, created_at: MIDNIGHT, version: 1 }
}

fn put(person: Person, base_version: Option<u32>) -> ConfigWrite {
    ConfigWrite::PutPerson { person, base_version }
}

on_both_databases! {
    async fn the_person_at_the_machine_is_the_first_admin(db: &Database) {
        let people = db.store.load_config().await.unwrap().people;
        assert_eq!(people.len(), 1);
        let local = &people[0];
        assert!(local.name.as_str() == LOCAL && local.is_admin() && local.version == 1);
    }

    async fn people_are_read_back_as_they_were_written_and_by_name(db: &Database) {
        let anna = person("anna@example.com", Role::Admin);
        let writes = vec![put(person("zoe", Role::Viewer), None), put(anna.clone(), None)];
        db.store.write_config(vec![edit(writes)]).await.unwrap();
        let shut_out = Person { enabled: false, role: Role::Operator, version: 2, ..anna.clone() };
        db.store.write_config(vec![edit(vec![put(shut_out.clone(), Some(1))])]).await.unwrap();
        let people = db.open_again().await.load_config().await.unwrap().people;
        assert_eq!(people[0], shut_out);
        assert_eq!(people.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["anna@example.com", LOCAL, "zoe"]);
        let again = db.store.write_config(vec![edit(vec![put(anna.clone(), None)])]).await;
        assert!(matches!(again, Err(StoreError::AlreadyExists { kind: "person", .. })));
        let late = db.store.write_config(vec![edit(vec![put(anna, Some(1))])]).await;
        assert!(matches!(late, Err(StoreError::Conflict { kind: "person", current_version: 2, .. })));
    }

    async fn the_last_admin_stays_one_also_when_two_lock_each_other_out_at_once(db: &Database) {
        db.store.write_config(vec![edit(vec![put(person("anna", Role::Admin), None)])]).await.unwrap();
        let local = db.store.load_config().await.unwrap().people.into_iter().find(|person| person.name.as_str() == LOCAL);
        let local = Person { enabled: false, version: 2, ..local.unwrap() };
        let anna = Person { role: Role::Viewer, version: 2, ..person("anna", Role::Admin) };
        let (one, other) = tokio::join!(
            db.store.write_config(vec![edit(vec![put(local, Some(1))])]),
            db.store.write_config(vec![edit(vec![put(anna, Some(1))])]),
        );
        assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|written| **written).count(), 1);
        assert!([one.err(), other.err()].into_iter().flatten().all(|error| matches!(error, StoreError::LastAdmin)));
        let people = db.store.load_config().await.unwrap().people;
        assert_eq!(people.iter().filter(|person| person.is_admin()).count(), 1);
    }
}
