//! Configuration is read whole, written whole, and tells every process.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use signalbox_core::breach::Breach;
use signalbox_core::change::ChangeKind;
use signalbox_core::ids::RequestId;
use signalbox_core::key::{ApiKey, FormerSecret, KeyHash, OwnCredential};
use signalbox_core::money::NanoUsd;
use signalbox_core::operation::Operation;
use signalbox_core::price::{CardOrigin, PriceCard};
use signalbox_core::provider::{CredentialSource, Provider};
use signalbox_core::time::Timestamp;
use signalbox_store::{ConfigEdit, ConfigWrite, StoreError, StoredKey};

use crate::database::on_both_databases;
use crate::samples::{
    HOSTILE, MIDNIGHT, change, edit, model, operation, operation_id, price_card, provider, put_operation,
    route, stored, target,
};

fn key(name: &str) -> ApiKey {
    let credential = OwnCredential { hint: "…77aa".to_owned(), set_at: MIDNIGHT };
    ApiKey {
        owner: Some("Grace".to_owned()),
        operations: BTreeSet::from([operation_id("chat_message"), operation_id("job_planning")]),
        targets: ["deepseek", "openai/gpt-5"].map(|text| text.parse().unwrap()).into(),
        expires_at: Some(MIDNIGHT.plus_micros(1)),
        own_credentials: BTreeMap::from([("deepseek".parse().unwrap(), credential)]),
        ..ApiKey::new(name, "a91f", MIDNIGHT)
    }
}

fn put_provider(provider: Provider, base_version: Option<u32>) -> ConfigWrite {
    ConfigWrite::PutProvider { provider, base_version }
}

on_both_databases! {
    async fn a_new_store_has_nothing_and_revision_zero(db: &Database) {
        assert_eq!(db.store.revision().await.unwrap(), 0);
        let config = db.store.load_config().await.unwrap();
        assert_eq!(config.revision, 0);
        assert!(config.operations.is_empty() && config.providers.is_empty() && config.keys.is_empty());
        assert!(db.store.write_config(Vec::new()).await.unwrap().is_empty());
        assert_eq!(db.store.revision().await.unwrap(), 0);
    }

    async fn what_is_written_is_read_back_the_same(db: &Database) {
        let wanted = target("deepseek/deepseek-chat");
        let api_key = key("crm");
        let writes = vec![
            put_operation("chat_message", 1, None),
            put_provider(provider("deepseek", 1), None),
            put_provider(Provider { credential: CredentialSource::NotNeeded, ..provider("local", 1) }, None),
            ConfigWrite::PutModel { model: model("deepseek/deepseek-chat") },
            ConfigWrite::PutPriceCard { target: wanted.clone(), card: price_card(100) },
            ConfigWrite::PutPriceCard { target: wanted.clone(), card: price_card(0) },
            ConfigWrite::InsertKey { key: api_key.clone(), hash: KeyHash([7; 32]) },
            ConfigWrite::PutSetting { key: "max_requests".to_owned(), value: "off".to_owned() },
            ConfigWrite::PutSetting { key: "max_requests".to_owned(), value: "on".to_owned() },
        ];
        db.store.write_config(vec![edit(writes)]).await.unwrap();

        let config = db.open_again().await.load_config().await.unwrap();
        assert_eq!(config.revision, 1);
        assert_eq!(config.operations[0].operation, operation("chat_message"));
        assert_eq!(config.operations[0].route, route("chat_message", 1));
        assert_eq!(config.changed_at[&operation_id("chat_message")], MIDNIGHT);
        assert_eq!(config.providers[0], provider("deepseek", 1));
        assert_eq!(config.providers[1].credential, CredentialSource::NotNeeded);
        assert_eq!(config.models[0].model, model("deepseek/deepseek-chat"));
        assert_eq!(config.models[0].cards, [price_card(0), price_card(100)]);
        assert_eq!(config.keys, [StoredKey { key: api_key, hash: KeyHash([7; 32]), former_hash: None }]);
        assert_eq!(config.settings, [("max_requests".to_owned(), "on".to_owned())]);
    }

    async fn an_edit_made_from_an_old_version_is_refused_with_the_current_one(db: &Database) {
        db.store.write_config(vec![edit(vec![put_operation("chat_message", 1, None)])]).await.unwrap();
        db.store.write_config(vec![edit(vec![put_operation("chat_message", 2, Some(1))])]).await.unwrap();
        let late = db.store.write_config(vec![edit(vec![put_operation("chat_message", 2, Some(1))])]).await;
        assert!(matches!(
            late,
            Err(StoreError::Conflict { kind: "operation", subject, current_version: 2 }) if subject == "chat_message"
        ));
        let again = db.store.write_config(vec![edit(vec![put_operation("chat_message", 1, None)])]).await;
        assert!(matches!(again, Err(StoreError::AlreadyExists { kind: "operation", .. })));
        let unknown = db.store.write_config(vec![edit(vec![put_operation("nothing", 2, Some(1))])]).await;
        assert!(matches!(unknown, Err(StoreError::NotFound { kind: "operation", .. })));
        assert_eq!(db.store.revision().await.unwrap(), 2);
    }

    async fn a_provider_is_changed_and_removed_only_at_the_version_it_was_seen_at(db: &Database) {
        let store = &db.store;
        store.write_config(vec![edit(vec![
            put_provider(provider("deepseek", 1), None),
            ConfigWrite::PutModel { model: model("deepseek/deepseek-chat") },
            ConfigWrite::PutPriceCard { target: target("deepseek/deepseek-chat"), card: price_card(0) },
        ])]).await.unwrap();
        let exists = store.write_config(vec![edit(vec![put_provider(provider("deepseek", 1), None)])]).await;
        assert!(matches!(exists, Err(StoreError::AlreadyExists { kind: "provider", .. })));
        store.write_config(vec![edit(vec![put_provider(provider("deepseek", 2), Some(1))])]).await.unwrap();
        let remove = |base_version| ConfigWrite::RemoveProvider { name: "deepseek".parse().unwrap(), base_version };
        let late = store.write_config(vec![edit(vec![remove(1)])]).await;
        assert!(matches!(late, Err(StoreError::Conflict { kind: "provider", current_version: 2, .. })));
        store.write_config(vec![edit(vec![remove(2)])]).await.unwrap();
        let config = store.load_config().await.unwrap();
        assert!(config.providers.is_empty() && config.models.is_empty());
        assert_eq!(db.number("SELECT COUNT(*) FROM price_cards").await, 0);
    }

    async fn what_belongs_to_nothing_is_refused(db: &Database) {
        let store = &db.store;
        let orphan = store.write_config(vec![edit(vec![ConfigWrite::PutModel { model: model("nobody/model") }])]).await;
        assert!(matches!(orphan, Err(StoreError::NotFound { kind: "provider", subject }) if subject == "nobody"));
        let card = ConfigWrite::PutPriceCard { target: target("nobody/model"), card: price_card(0) };
        let orphan = store.write_config(vec![edit(vec![card])]).await;
        assert!(matches!(orphan, Err(StoreError::NotFound { kind: "model", .. })));
        let gone = store.write_config(vec![edit(vec![ConfigWrite::RemoveModel { target: target("a/b") }])]).await;
        assert!(matches!(gone, Err(StoreError::NotFound { kind: "model", .. })));
        let unknown = store.write_config(vec![edit(vec![ConfigWrite::PutKey { key: key("x") }])]).await;
        assert!(matches!(unknown, Err(StoreError::NotFound { kind: "key", .. })));
    }

    async fn the_bill_that_blocks_a_model_is_kept_until_it_is_taken_away_and_survives_other_edits(db: &Database) {
        let store = &db.store;
        let wanted = target("deepseek/deepseek-chat");
        let breach = Breach {
            at: Timestamp::from_micros(7),
            request: RequestId::generate(),
            bound: NanoUsd::from_nanos(10),
            cost: NanoUsd::from_nanos(i64::MAX),
            card: Timestamp::from_micros(0),
        };
        let put = |breach| ConfigWrite::PutBreach { target: wanted.clone(), breach };
        let stored = async || store.load_config().await.unwrap().models[0].breach;
        store
            .write_config(vec![edit(vec![
                put_provider(provider("deepseek", 1), None),
                ConfigWrite::PutModel { model: model("deepseek/deepseek-chat") },
                put(Some(breach)),
            ])])
            .await
            .unwrap();
        assert_eq!(stored().await, Some(breach));
        store
            .write_config(vec![edit(vec![ConfigWrite::PutModel { model: model("deepseek/deepseek-chat") }])])
            .await
            .unwrap();
        assert_eq!(stored().await, Some(breach));
        store.write_config(vec![edit(vec![put(None)])]).await.unwrap();
        assert_eq!(stored().await, None);
        let nobody = ConfigWrite::PutBreach { target: target("deepseek/nobody"), breach: None };
        assert!(matches!(store.write_config(vec![edit(vec![nobody])]).await, Err(StoreError::NotFound { .. })));
    }

    async fn a_price_that_was_in_force_is_never_edited_and_a_planned_one_may_be(db: &Database) {
        let store = &db.store;
        let wanted = target("deepseek/deepseek-chat");
        let at = |instant: Timestamp| {
            let card = PriceCard { effective_from: instant, batch_percent: Some(50), origin: CardOrigin::Own, ..price_card(0) };
            ConfigWrite::PutPriceCard { target: wanted.clone(), card }
        };
        let plain = |instant: Timestamp| {
            let card = PriceCard { effective_from: instant, ..price_card(0) };
            ConfigWrite::PutPriceCard { target: wanted.clone(), card }
        };
        let (past, future) = (MIDNIGHT.plus_micros(-1), MIDNIGHT.plus_micros(1));
        store.write_config(vec![edit(vec![
            put_provider(provider("deepseek", 1), None),
            ConfigWrite::PutModel { model: model("deepseek/deepseek-chat") },
            plain(past), plain(MIDNIGHT), plain(future),
        ])]).await.unwrap();
        let edited = store.write_config(vec![edit(vec![at(past)])]).await;
        assert!(matches!(edited, Err(StoreError::AlreadyExists { kind: "price in force", .. })), "{edited:?}");
        store.write_config(vec![edit(vec![at(MIDNIGHT), at(future)])]).await.unwrap();
        let cards = store.load_config().await.unwrap().models.remove(0).cards;
        let found: Vec<_> = cards.iter().map(|card| (card.effective_from, card.origin, card.batch_percent)).collect();
        assert_eq!(found, [
            (past, CardOrigin::Shipped, None),
            (MIDNIGHT, CardOrigin::Own, Some(50)),
            (future, CardOrigin::Own, Some(50)),
        ]);
    }

    async fn keys_are_unique_by_their_hash_and_can_be_revoked(db: &Database) {
        let first = key("crm");
        let insert = |key: &ApiKey| ConfigWrite::InsertKey { key: key.clone(), hash: KeyHash([9; 32]) };
        db.store.write_config(vec![edit(vec![insert(&first)])]).await.unwrap();
        let twin = db.store.write_config(vec![edit(vec![insert(&key("other"))])]).await;
        assert!(matches!(twin, Err(StoreError::AlreadyExists { kind: "key", .. })));
        let revoked = ApiKey { revoked_at: Some(Timestamp::from_micros(1)), ..first };
        db.store.write_config(vec![edit(vec![ConfigWrite::PutKey { key: revoked.clone() }])]).await.unwrap();
        let stored = StoredKey { key: revoked, hash: KeyHash([9; 32]), former_hash: None };
        assert_eq!(db.store.load_config().await.unwrap().keys, [stored]);
    }

    async fn a_rotated_key_keeps_everything_and_knows_the_secret_before_for_its_overlap(db: &Database) {
        let (first, second, third) = (KeyHash([1; 32]), KeyHash([2; 32]), KeyHash([3; 32]));
        let made = key("crm");
        db.store.write_config(vec![edit(vec![ConfigWrite::InsertKey { key: made.clone(), hash: first }])]).await.unwrap();
        let former = FormerSecret { last4: "a91f".to_owned(), until: MIDNIGHT.plus_micros(9) };
        let rotated = ApiKey { last4: "0002".to_owned(), former: Some(former), ..made };
        let rotate = |key: &ApiKey, from, to| vec![edit(vec![ConfigWrite::RotateKey { key: key.clone(), from, to }])];
        db.store.write_config(rotate(&rotated, first, second)).await.unwrap();
        let stored = StoredKey { key: rotated.clone(), hash: second, former_hash: Some(first) };
        assert_eq!(db.store.load_config().await.unwrap().keys, [stored]);

        let late = db.store.write_config(rotate(&rotated, first, third)).await;
        assert!(matches!(late, Err(StoreError::NotFound { kind: "key", .. })), "two rotations at once: one wins");
        let at_once = ApiKey { last4: "0003".to_owned(), former: None, ..rotated };
        db.store.write_config(rotate(&at_once, second, third)).await.unwrap();
        let stored = StoredKey { key: at_once, hash: third, former_hash: None };
        assert_eq!(db.store.load_config().await.unwrap().keys, [stored]);
    }

    async fn one_refused_write_undoes_all_of_them_and_their_history(db: &Database) {
        let result = db.store.write_config(vec![
            edit(vec![put_operation("chat_message", 1, None)]),
            edit(vec![put_operation("job_planning", 3, Some(2))]),
        ]).await;
        assert!(matches!(result, Err(StoreError::NotFound { .. })));
        assert_eq!(db.store.revision().await.unwrap(), 0);
        assert!(db.store.load_config().await.unwrap().operations.is_empty());
        assert_eq!(db.number("SELECT COUNT(*) FROM changes").await, 0);
    }

    async fn hostile_text_is_only_text(db: &Database) {
        let described = Operation { description: HOSTILE.to_owned(), ..operation("chat_message") };
        let named = ApiKey { last4: HOSTILE.to_owned(), owner: Some(HOSTILE.to_owned()), ..key(HOSTILE) };
        let credential = CredentialSource::Environment { variable: HOSTILE.to_owned() };
        let mut card = price_card(0);
        card.source_url = Some(HOSTILE.to_owned());
        db.store.write_config(vec![ConfigEdit {
            writes: vec![
                ConfigWrite::PutOperation { operation: described, route: route("chat_message", 1), base_version: None },
                put_provider(Provider { credential, ..provider("deepseek", 1) }, None),
                ConfigWrite::PutModel { model: model("deepseek/deepseek-chat") },
                ConfigWrite::PutPriceCard { target: target("deepseek/deepseek-chat"), card },
                ConfigWrite::InsertKey { key: named, hash: KeyHash([1; 32]) },
                ConfigWrite::PutSetting { key: HOSTILE.to_owned(), value: HOSTILE.to_owned() },
            ],
            change: change(ChangeKind::Install, HOSTILE),
        }]).await.unwrap();
        let text = stored(HOSTILE);
        let config = db.store.load_config().await.unwrap();
        assert_eq!(config.operations[0].operation.description, text);
        let stored = &config.keys[0].key;
        assert_eq!([&stored.name, &stored.last4, stored.owner.as_ref().unwrap()], [&text; 3]);
        assert_eq!(config.providers[0].credential, CredentialSource::Environment { variable: text.clone() });
        assert_eq!(config.models[0].cards[0].source_url.as_deref(), Some(text.as_str()));
        assert_eq!(config.settings, [(text.clone(), text)]);
    }

    async fn a_write_by_another_process_fires_the_signal_with_its_revision(db: &Database) {
        let mut signal = db.store.config_signal().await;
        let other = db.open_again().await;
        let write = async {
            other.write_config(vec![edit(vec![put_operation("chat_message", 1, None)])]).await.unwrap();
        };
        let fired = tokio::time::timeout(Duration::from_secs(10), async { tokio::join!(signal.changed(), write).0 });
        assert_eq!(fired.await.unwrap().unwrap(), 1);
    }

    async fn a_write_while_nobody_waits_for_the_signal_is_not_missed(db: &Database) {
        let mut signal = db.store.config_signal().await;
        let nothing = tokio::time::timeout(Duration::from_millis(30), signal.changed()).await;
        assert!(nothing.is_err(), "it must not fire without a write");
        db.store.write_config(vec![edit(vec![put_operation("chat_message", 1, None)])]).await.unwrap();
        assert_eq!(tokio::time::timeout(Duration::from_secs(10), signal.changed()).await.unwrap().unwrap(), 1);
        signal.seen(0);
        assert_eq!(tokio::time::timeout(Duration::from_secs(10), signal.changed()).await.unwrap().unwrap(), 1);
    }

    async fn two_processes_that_write_at_once_both_get_their_own_revision(db: &Database) {
        let other = db.open_again().await;
        let settings = |store: signalbox_store::Store, name: &'static str| async move {
            for value in 0..10 {
                let write = ConfigWrite::PutSetting { key: name.to_owned(), value: value.to_string() };
                store.write_config(vec![edit(vec![write])]).await.unwrap();
            }
        };
        tokio::join!(settings(db.store.clone(), "left"), settings(other, "right"));
        assert_eq!(db.store.revision().await.unwrap(), 20);
        let chain = db.store.verify_chain().await.unwrap();
        assert_eq!((chain.entries(), chain.first_bad()), (20, None));
    }
}
