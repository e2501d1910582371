//! Where the main window can be sent from outside of it: by the tray, by the small window, by another start of the program.
//! Going somewhere decides nothing.

use std::str::FromStr;

use signalbox_core::ids::ApprovalId;

/// What an address of ours may begin with, as links have it.
const SCHEME: &str = "signalbox://";
const APPROVALS: &str = "approvals";

/// A place in the main window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The queue of approvals.
    Approvals,
    /// One approval in the queue, laid open.
    Approval(ApprovalId),
}

impl Place {
    /// Its address within the page.
    pub fn route(self) -> String {
        match self {
            Self::Approvals => format!("/{APPROVALS}"),
            Self::Approval(id) => format!("/{APPROVALS}?approval={id}"),
        }
    }
}

/// Text that names no place.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownPlace;

impl std::fmt::Display for UnknownPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a place is `approvals` or `approvals/ID`, with the id of an approval")
    }
}

impl std::error::Error for UnknownPlace {}

/// `approvals` or `approvals/ID`, also as a link: `signalbox://approvals/ID`.
impl FromStr for Place {
    type Err = UnknownPlace;

    fn from_str(text: &str) -> Result<Self, UnknownPlace> {
        let path = text.strip_prefix(SCHEME).unwrap_or(text);
        let path = path.strip_suffix('/').unwrap_or(path);
        match path.split_once('/') {
            None if path == APPROVALS => Ok(Self::Approvals),
            Some((APPROVALS, id)) => id.parse().map(Self::Approval).map_err(|_| UnknownPlace),
            _ => Err(UnknownPlace),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_a_path_or_as_a_link_and_leads_to_its_screen() {
        let id = ApprovalId::generate();
        for text in [format!("approvals/{id}"), format!("signalbox://approvals/{id}")] {
            let place: Place = text.parse().unwrap();
            assert_eq!(place, Place::Approval(id));
            assert_eq!(place.route(), format!("/approvals?approval={id}"));
        }
        for text in ["approvals", "approvals/", "signalbox://approvals", "signalbox://approvals/"] {
            assert_eq!(text.parse::<Place>().unwrap().route(), "/approvals", "{text}");
        }
    }

    #[test]
    fn what_is_no_place_of_ours_is_refused_so_nothing_of_it_reaches_the_page() {
        let id = ApprovalId::generate();
        for text in [
            String::new(),
            "/approvals".to_owned(),
            "Approvals".to_owned(),
            "settings".to_owned(),
            format!("approvals/{id}/approve"),
            format!("approvals/{id}?approve=true"),
            format!("approvals/{id}';alert(1)//"),
            "approvals/../settings".to_owned(),
            "https://example.com/approvals".to_owned(),
        ] {
            assert_eq!(text.parse::<Place>(), Err(UnknownPlace), "{text}");
        }
    }
}
