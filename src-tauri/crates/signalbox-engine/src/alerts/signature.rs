//! Signatures of outgoing webhooks, in the shape of Standard Webhooks.
//!
//! Source: <https://www.standardwebhooks.com>: HMAC-SHA256 over `id.timestamp.body`, `v1,` and base64; several signatures
//! with a space between them while a key is replaced.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of `webhook-signature`: one signature for each key.
pub(crate) fn sign<'a>(
    keys: impl Iterator<Item = &'a [u8]>,
    id: &str,
    timestamp_s: i64,
    body: &[u8],
) -> String {
    let signature = |key: &[u8]| {
        // HMAC takes a key of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        for part in [id.as_bytes(), b".", timestamp_s.to_string().as_bytes(), b".", body] {
            mac.update(part);
        }
        Some(format!("v1,{}", BASE64.encode(mac.finalize().into_bytes())))
    };
    keys.filter_map(signature).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use standardwebhooks::Webhook;

    use super::*;

    proptest! {
        #[test]
        fn the_reference_implementation_signs_the_same(
            key in prop::collection::vec(any::<u8>(), 32..64),
            other in prop::collection::vec(any::<u8>(), 32..64),
            id in "dlv_[0-9a-f]{32}",
            timestamp in 1_600_000_000_i64..2_000_000_000,
            body in "\\PC{0,200}",
        ) {
            let theirs = |key: &[u8]| Webhook::from_bytes(key.to_vec()).unwrap().sign(&id, timestamp, body.as_bytes()).unwrap();
            let ours = sign([&key[..], &other[..]].into_iter(), &id, timestamp, body.as_bytes());
            prop_assert_eq!(ours, format!("{} {}", theirs(&key), theirs(&other)));
        }
    }

    #[test]
    fn the_example_of_the_standard_has_its_signature() {
        let key = BASE64.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signed = sign([&key[..]].into_iter(), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
