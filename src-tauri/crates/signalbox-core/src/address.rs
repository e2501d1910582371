//! Where the program may call out to on its own: public addresses over https, unless an admin marked the place as local.
//!
//! A name is resolved, every address it leads to is checked here, and the connection goes to a checked address. What is
//! allowed is listed rather than what is not, as far as the registries of special addresses let us.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Longest URL that is taken. Units: characters.
const URL_CHARS_MAX: usize = 2_048;

/// Why a place is not called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDestination {
    /// No URL, or one that two programs may read differently.
    #[error("this is no plain URL such as https://example.com/hook")]
    Malformed,
    /// A user name or password in the URL.
    #[error("the URL must not have a user name or password in it")]
    Credentials,
    /// Not encrypted.
    #[error("only https URLs are called, unless the place is marked as local")]
    NotEncrypted,
    /// An address that the internet does not lead to.
    #[error("{0} is not a public address; mark the place as local if it is meant")]
    NotPublic(IpAddr),
}

/// A URL that may be called; `is_local` is the admin's mark for a place in their own network. The addresses that a name
/// leads to are still to be checked with [`may_call`].
///
/// Errors: [`InvalidDestination`].
pub fn check_destination(text: &str, is_local: bool) -> Result<Url, InvalidDestination> {
    let text = text.trim();
    let is_plain = text.chars().count() <= URL_CHARS_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    let url =
        Url::parse(text).ok().filter(|url| is_plain && url.fragment().is_none() && !text.contains('\\'));
    let url = url.ok_or(InvalidDestination::Malformed)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(InvalidDestination::Credentials);
    }
    match url.scheme() {
        "https" => {}
        "http" if is_local => {}
        "http" => return Err(InvalidDestination::NotEncrypted),
        _ => return Err(InvalidDestination::Malformed),
    }
    let address = match url.host() {
        None => return Err(InvalidDestination::Malformed),
        Some(Host::Domain(_)) => return Ok(url),
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
    };
    // `0x7f.1` and `2130706433` are addresses to some programs and names to others.
    if address.is_ipv4() && !text.contains(&address.to_string()) {
        return Err(InvalidDestination::Malformed);
    }
    may_call(address, is_local)?;
    Ok(url)
}

/// Whether this address may be connected to.
///
/// Errors: [`InvalidDestination::NotPublic`].
pub fn may_call(address: IpAddr, is_local: bool) -> Result<(), InvalidDestination> {
    if is_local || is_public(address) { Ok(()) } else { Err(InvalidDestination::NotPublic(address)) }
}

/// Whether the internet leads to this address and nothing nearer does.
///
/// Sources: <https://www.iana.org/assignments/iana-ipv4-special-registry>,
/// <https://www.iana.org/assignments/iana-ipv6-special-registry>.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        // This network, private, loopback, multicast and everything after it.
        [0 | 10 | 127 | 224.., ..]
        // Carriers' own, 100.64/10; one cloud answers for its machines' metadata there.
        | [100, 64..=127, ..]
        // Link-local, with most clouds' metadata.
        | [169, 254, ..]
        | [172, 16..=31, ..]
        // Protocol assignments, documentation, relays to IPv6.
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [192, 168, ..]
        // Benchmarks, documentation.
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        // Azure's machine services, which only its machines reach.
        | [168, 63, 129, 16] => true,
        _ => false,
    };
    !special
}

/// Only `2000::/3` is given out to the internet; in it are a few ranges that lead elsewhere.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_given_out = first & 0xe000 == 0x2000;
    let leads_elsewhere = match first {
        // Protocol assignments with Teredo, and documentation.
        0x2001 => second < 0x0200 || second == 0x0db8,
        // An IPv4 address inside.
        0x2002 => true,
        // Documentation.
        0x3fff => second < 0x1000,
        _ => false,
    };
    is_given_out && !leads_elsewhere
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_that_lead_to_this_machine_or_its_network_are_not_public() {
        for special in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "100::1",
        ] {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
        for public in ["1.1.1.1", "8.8.8.8", "100.63.0.1", "172.32.0.1", "2606:4700::1111", "2a00:1450::1"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_url_that_two_programs_may_read_differently_is_not_called() {
        use InvalidDestination::{Credentials, Malformed, NotEncrypted};
        for (text, why) in [
            ("", Malformed),
            ("nonsense", Malformed),
            ("file:///etc/passwd", Malformed),
            ("gopher://example.com", Malformed),
            ("https://example.com/a b", Malformed),
            ("https://exämple.com/", Malformed),
            ("https://example.com\\@evil.example/", Malformed),
            ("https://example.com/#part", Malformed),
            ("https://0x7f.1/", Malformed),
            ("https://2130706433/", Malformed),
            ("https://127.1/", Malformed),
            ("https://me:secret@example.com/", Credentials),
            ("https://example.com@evil.example/", Credentials),
            ("http://example.com/", NotEncrypted),
        ] {
            assert_eq!(check_destination(text, false), Err(why), "{text}");
        }
        assert!(matches!(check_destination("https://[::1]/", false), Err(InvalidDestination::NotPublic(_))));
        assert!(matches!(
            check_destination("https://10.0.0.1/", false),
            Err(InvalidDestination::NotPublic(_))
        ));
        assert!(check_destination("https://hooks.example.com/services/T0/B0?wait=true", false).is_ok());
        assert!(check_destination("http://127.0.0.1:8065/hooks/x", true).is_ok());
        assert_eq!(check_destination("ftp://127.0.0.1/", true), Err(Malformed));
    }

    proptest! {
        #[test]
        fn an_ipv4_address_inside_an_ipv6_one_is_never_public(bits: u32) {
            let inside = Ipv4Addr::from_bits(bits);
            prop_assert!(!is_public(inside.to_ipv6_mapped().into()));
            prop_assert!(!is_public(inside.to_ipv6_compatible().into()));
        }

        #[test]
        fn no_text_makes_the_check_fail_otherwise_than_with_its_error(text in "\\PC{0,60}", is_local: bool) {
            if let Ok(url) = check_destination(&text, is_local) {
                prop_assert!(url.scheme() == "https" || is_local);
            }
        }
    }
}
