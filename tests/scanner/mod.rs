//! Finds secrets in whatever form they may have slipped out: as they are, encoded, escaped, whole or in pieces.

mod seen;

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
pub use seen::Seen;

/// A piece of a secret this long is a leak. The last four characters are a hint that is shown on purpose.
pub const PIECE_BYTES: usize = 12;
/// What is looked up first at each place. No form of a piece is shorter.
const KEY_BYTES: usize = 8;

/// Every form of every piece of some secrets.
#[derive(Debug)]
pub struct Scanner {
    needles: HashMap<[u8; KEY_BYTES], Vec<Needle>>,
    /// Which two bytes a needle can begin with: tells most places apart without a look-up.
    begins: Vec<bool>,
}

#[derive(Debug)]
struct Needle {
    bytes: Vec<u8>,
    found: String,
}

impl Scanner {
    /// For these secrets with their names.
    pub fn new(secrets: &[(String, Vec<u8>)]) -> Self {
        let mut scanner = Self { needles: HashMap::new(), begins: vec![false; 1 << 16] };
        for (name, secret) in secrets {
            assert!(secret.len() > PIECE_BYTES, "{name} is too short to be looked for");
            for piece in secret.windows(PIECE_BYTES) {
                for (form, bytes) in pieces(piece) {
                    scanner.add(bytes, format!("{name} as {form}"));
                }
            }
        }
        scanner
    }

    fn add(&mut self, bytes: Vec<u8>, found: String) {
        let key: [u8; KEY_BYTES] = bytes[..KEY_BYTES].try_into().unwrap();
        self.begins[usize::from(u16::from_be_bytes([key[0], key[1]]))] = true;
        self.needles.entry(key).or_default().push(Needle { bytes, found });
    }

    /// What is found first, e.g. `provider credential as base64`, with what stands around it.
    pub fn find(&self, hay: &[u8]) -> Option<String> {
        hay.windows(KEY_BYTES).enumerate().find_map(|(at, window)| {
            if !self.begins[usize::from(u16::from_be_bytes([window[0], window[1]]))] {
                return None;
            }
            let needle =
                self.needles.get(window)?.iter().find(|needle| hay[at..].starts_with(&needle.bytes))?;
            let around = &hay[at.saturating_sub(60)..hay.len().min(at + 60)];
            Some(format!("{} in {}", needle.found, String::from_utf8_lossy(around)))
        })
    }
}

/// A piece of a secret in every form it can have within a longer text.
fn pieces(piece: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![
        ("raw", piece.to_vec()),
        ("hex", hex::encode(piece).into_bytes()),
        ("hex", hex::encode_upper(piece).into_bytes()),
        ("URL", url_encoded(piece, false)),
        ("URL", url_encoded(piece, true)),
    ];
    if let Ok(text) = std::str::from_utf8(piece) {
        let escaped = json_escaped(text);
        forms.push(("JSON in JSON", json_escaped(&escaped).into_bytes()));
        forms.push(("JSON", escaped.into_bytes()));
    }
    // Six bits a letter: what a piece looks like depends on where it begins, and its edges on its neighbours.
    for (before, letters_lost) in [(0, 0), (1, 2), (2, 3)] {
        let shifted = [&[0; 2][..before], piece].concat();
        let whole_letters = shifted.len() * 8 / 6;
        for engine in [&STANDARD, &URL_SAFE] {
            let letters = engine.encode(&shifted).into_bytes();
            forms.push(("base64", letters[letters_lost..whole_letters].to_vec()));
        }
    }
    forms
}

/// All but letters, digits and `-._~` as `%XX`.
pub fn url_encoded(bytes: &[u8], upper: bool) -> Vec<u8> {
    let encode = |byte: &u8| match byte {
        b'-' | b'.' | b'_' | b'~' => vec![*byte],
        byte if byte.is_ascii_alphanumeric() => vec![*byte],
        byte if upper => format!("%{byte:02X}").into_bytes(),
        byte => format!("%{byte:02x}").into_bytes(),
    };
    bytes.iter().flat_map(encode).collect()
}

/// As it stands between the quotes of a JSON string.
pub fn json_escaped(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}
