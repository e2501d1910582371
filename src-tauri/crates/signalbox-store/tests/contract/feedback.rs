//! What clients say of their answers.

use signalbox_core::ids::KeyId;
use signalbox_core::ledger::RequestStart;
use signalbox_store::{Feedback, StoreError};

use crate::database::on_both_databases;
use crate::samples::{HOSTILE, MIDNIGHT, begin, start};

on_both_databases! {
    async fn feedback_is_kept_in_order_for_the_key_that_made_the_request_and_for_no_other(db: &Database) {
        let key = KeyId::generate();
        let request = RequestStart { key: Some(key), ..start("chat_message", MIDNIGHT) };
        db.store.ledger().await.unwrap().commit(&[begin(&request)]).await.unwrap();
        let said = |micros, score, comment: Option<&str>| Feedback {
            request: request.id,
            at: MIDNIGHT.plus_micros(micros),
            score,
            comment: comment.map(str::to_owned),
        };
        let (bad, good) = (said(1, 0, None), said(2, 1_000, Some(HOSTILE)));
        db.store.add_feedback(key, &good).await.unwrap();
        db.store.add_feedback(key, &bad).await.unwrap();
        db.store.add_feedback(key, &bad).await.unwrap();
        let kept = db.store.feedback(request.id).await.unwrap();
        assert_eq!(kept.len(), 2);
        assert_eq!((&kept[0], kept[1].score), (&bad, 1_000));

        let foreign = db.store.add_feedback(KeyId::generate(), &good).await;
        assert!(matches!(foreign, Err(StoreError::NotFound { .. })), "{foreign:?}");
        assert_eq!(db.store.feedback(request.id).await.unwrap().len(), 2);
    }
}
