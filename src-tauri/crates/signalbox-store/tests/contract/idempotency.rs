use signalbox_core::ids::{NodeId, RequestId};
use signalbox_core::ledger::Idempotency;
use signalbox_store::{ClaimedKey, IdempotencyClaim};

use crate::database::on_both_databases;
use crate::samples::{MIDNIGHT, SECOND};

const KEY: Idempotency = Idempotency { key_hash: [1; 32], body_hash: [2; 32] };

fn claim() -> IdempotencyClaim {
    IdempotencyClaim {
        idempotency: KEY,
        request: RequestId::generate(),
        node: NodeId::generate(),
        expires_at: MIDNIGHT.plus_micros(60 * SECOND),
    }
}

on_both_databases! {
    async fn the_first_runs_and_the_others_get_its_answer_to_the_byte(db: &Database) {
        let first = claim();
        assert_eq!(db.store.claim_idempotency(&first, MIDNIGHT).await.unwrap(), ClaimedKey::Fresh);
        let running = ClaimedKey::Running { request: first.request, node: first.node };
        assert_eq!(db.store.claim_idempotency(&claim(), MIDNIGHT).await.unwrap(), running);
        let body = b"\x00{\"text\": \"\xff\"}".to_vec();
        db.store.finish_idempotency(&KEY.key_hash, first.request, "application/json", &body, first.expires_at).await.unwrap();
        let done = ClaimedKey::Done { request: first.request, content_type: "application/json".to_owned(), body };
        assert_eq!(db.store.claim_idempotency(&claim(), MIDNIGHT).await.unwrap(), done);
        // An answer stays what it is, whoever comes late.
        db.store.finish_idempotency(&KEY.key_hash, first.request, "text/plain", b"other", first.expires_at).await.unwrap();
        db.store.release_idempotency(&KEY.key_hash, first.request).await.unwrap();
        assert_eq!(db.store.claim_idempotency(&claim(), MIDNIGHT).await.unwrap(), done);
    }

    async fn a_key_with_another_body_is_told_apart_while_it_runs_and_afterwards(db: &Database) {
        let first = claim();
        db.store.claim_idempotency(&first, MIDNIGHT).await.unwrap();
        let other = IdempotencyClaim { idempotency: Idempotency { body_hash: [9; 32], ..KEY }, ..claim() };
        let expected = ClaimedKey::OtherBody { request: first.request };
        assert_eq!(db.store.claim_idempotency(&other, MIDNIGHT).await.unwrap(), expected);
        db.store.finish_idempotency(&KEY.key_hash, first.request, "application/json", b"{}", first.expires_at).await.unwrap();
        assert_eq!(db.store.claim_idempotency(&other, MIDNIGHT).await.unwrap(), expected);
    }

    async fn a_key_that_is_given_back_is_the_next_ones_and_nobody_gives_back_anothers(db: &Database) {
        let (first, second) = (claim(), claim());
        db.store.claim_idempotency(&first, MIDNIGHT).await.unwrap();
        db.store.release_idempotency(&KEY.key_hash, second.request).await.unwrap();
        let running = ClaimedKey::Running { request: first.request, node: first.node };
        assert_eq!(db.store.claim_idempotency(&second, MIDNIGHT).await.unwrap(), running);
        db.store.release_idempotency(&KEY.key_hash, first.request).await.unwrap();
        assert_eq!(db.store.claim_idempotency(&second, MIDNIGHT).await.unwrap(), ClaimedKey::Fresh);
        db.store.finish_idempotency(&KEY.key_hash, first.request, "application/json", b"late", first.expires_at).await.unwrap();
        let running = ClaimedKey::Running { request: second.request, node: second.node };
        assert_eq!(db.store.claim_idempotency(&claim(), MIDNIGHT).await.unwrap(), running);
    }

    async fn a_start_gives_back_what_its_own_earlier_run_held_and_nothing_else(db: &Database) {
        let own = claim();
        let elsewhere = IdempotencyClaim {
            idempotency: Idempotency { key_hash: [7; 32], ..KEY },
            ..claim()
        };
        let answered = IdempotencyClaim {
            idempotency: Idempotency { key_hash: [8; 32], ..KEY },
            node: own.node,
            ..claim()
        };
        for claim in [&own, &elsewhere, &answered] {
            assert_eq!(db.store.claim_idempotency(claim, MIDNIGHT).await.unwrap(), ClaimedKey::Fresh);
        }
        db.store.finish_idempotency(&[8; 32], answered.request, "application/json", b"{}", answered.expires_at).await.unwrap();
        assert_eq!(db.store.release_idempotency_of(own.node).await.unwrap(), 1);
        assert_eq!(db.store.claim_idempotency(&own, MIDNIGHT).await.unwrap(), ClaimedKey::Fresh);
        let of_elsewhere = db.store.claim_idempotency(&elsewhere, MIDNIGHT).await.unwrap();
        assert!(matches!(of_elsewhere, ClaimedKey::Running { .. }), "{of_elsewhere:?}");
        let of_answered = db.store.claim_idempotency(&answered, MIDNIGHT).await.unwrap();
        assert!(matches!(of_answered, ClaimedKey::Done { .. }), "{of_answered:?}");
    }

    async fn an_expired_key_is_free_and_its_answer_is_forgotten(db: &Database) {
        let first = claim();
        db.store.claim_idempotency(&first, MIDNIGHT).await.unwrap();
        db.store.finish_idempotency(&KEY.key_hash, first.request, "application/json", b"{}", first.expires_at).await.unwrap();
        let second = IdempotencyClaim { expires_at: MIDNIGHT.plus_micros(90 * SECOND), ..claim() };
        assert_eq!(db.store.claim_idempotency(&second, first.expires_at).await.unwrap(), ClaimedKey::Fresh);
        let running = ClaimedKey::Running { request: second.request, node: second.node };
        assert_eq!(db.store.claim_idempotency(&claim(), first.expires_at).await.unwrap(), running);
        assert_eq!(db.store.forget_expired_idempotency(first.expires_at).await.unwrap(), 0);
        assert_eq!(db.store.forget_expired_idempotency(second.expires_at).await.unwrap(), 1);
        assert_eq!(db.number("SELECT COUNT(*) FROM idempotency").await, 0);
    }

    async fn of_many_that_come_at_once_exactly_one_is_first(db: &Database) {
        let again = db.open_again().await;
        let claims: Vec<IdempotencyClaim> = (0..24).map(|_| claim()).collect();
        let found = futures::future::join_all(claims.iter().enumerate().map(|(number, claim)| {
            let store = if number % 2 == 0 { &db.store } else { &again };
            store.claim_idempotency(claim, MIDNIGHT)
        }))
        .await;
        let found: Vec<ClaimedKey> = found.into_iter().map(Result::unwrap).collect();
        assert_eq!(found.iter().filter(|found| **found == ClaimedKey::Fresh).count(), 1, "{found:?}");
        let first = found.iter().position(|found| *found == ClaimedKey::Fresh).unwrap();
        let running = ClaimedKey::Running { request: claims[first].request, node: claims[first].node };
        assert!(found.iter().filter(|found| **found != ClaimedKey::Fresh).all(|found| *found == running));
    }
}
