//! Secrets in what others say: whoever was sent a secret may repeat it, whole or in part, and escape it on the way.

/// Shortest piece of a secret that is hidden. Shorter ones are common words and the hint that is shown on purpose. Units:
/// characters.
const PIECE_CHARS_MIN: usize = 12;

/// A text in which `mark` stands where the secret was: all of it, longer pieces of it (servers quote its beginning or escape
/// some of its characters, and where a text was cut, the cut may go through it), and both as they are in an address.
///
/// The work grows with both lengths: bound the text first.
pub fn without_secret(text: &str, secret: &str, mark: &str) -> String {
    if secret.is_empty() {
        return text.to_owned();
    }
    let in_address: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let without_whole = text.replace(secret, mark).replace(&in_address, mark);
    without_pieces(&without_pieces(&without_whole, secret, mark), &in_address, mark)
}

fn without_pieces(text: &str, secret: &str, mark: &str) -> String {
    let secret: Vec<char> = secret.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let shared = |at: usize| {
        let from = |start: usize| {
            let pairs = text[at..].iter().zip(&secret[start..]);
            pairs.take_while(|(said, hidden)| said == hidden).count()
        };
        (0..secret.len()).map(from).max().unwrap_or(0)
    };
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    while at < text.len() {
        let chars = shared(at);
        if chars < PIECE_CHARS_MIN {
            shown.push(text[at]);
            at += 1;
        } else {
            shown.push_str(mark);
            at += chars;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = r#"sk-live-Ab3Ce5Gh7Jk9"Lm2Np4Qr6St8Uv0"#;

    #[test]
    fn a_secret_is_hidden_whole_in_pieces_and_as_an_address_has_it() {
        let of = |text: &str| without_secret(text, SECRET, "[x]");
        assert_eq!(of(&format!("the key {SECRET} is bad")), "the key [x] is bad");
        assert_eq!(of("the key sk-live-Ab3Ce5Gh"), "the key [x]");
        assert_eq!(of("https://x/?key=sk-live-Ab3Ce5Gh7Jk9%22Lm2Np4Qr6St8Uv0"), "https://x/?key=[x]");
        assert_eq!(
            of("keys begin with sk-live- and end with 8Uv0"),
            "keys begin with sk-live- and end with 8Uv0"
        );
        assert_eq!(without_secret("nothing is hidden", "", "[x]"), "nothing is hidden");
        assert_eq!(without_secret("short ones whole: pass", "pass", "[x]"), "short ones whole: [x]");
    }
}
