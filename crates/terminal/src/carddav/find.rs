//! Finds a person's address books from any address of their server: the book itself, the principal, or the root.

use http::{HeaderValue, Uri};
use libdav::carddav::{FindAddressBookHomeSet, FindAddressBooks};
use libdav::dav::{FindCollections, FindPropertyHrefs, FoundCollection};
use libdav::encoding::normalise_percent_encoded;
use libdav::names;
use libdav::requests::DavRequest;

use super::port::{CallError, DavServer, PullError, ask, read};

/// Where a server says where it serves CardDAV (RFC 6764, section 5).
const WELL_KNOWN: &str = "/.well-known/carddav";

/// The address books at an address, or of the person whom the server takes us for.
pub(super) async fn books(server: &impl DavServer, address: &Uri) -> Result<Vec<FoundCollection>, PullError> {
    let path = normalise_percent_encoded(address.path()).map_err(|_| PullError::NoBook)?.into_owned();
    if let Some(book) = book_itself(server, address, &path).await? {
        return Ok(vec![book]);
    }
    let mut principal = None;
    for place in [path.as_str(), WELL_KNOWN, "/"] {
        let request = FindPropertyHrefs::new(place, &names::CURRENT_USER_PRINCIPAL);
        match ask(server, address, &request).await {
            Ok(found) => principal = found.hrefs.into_iter().next(),
            // There is nothing there, or nothing of this kind.
            Err(PullError::Status(400..=499) | PullError::Garbage) => {}
            Err(error) => return Err(error),
        }
        if principal.is_some() {
            break;
        }
    }
    let principal = here(address, principal.as_ref().ok_or(PullError::NoBook)?)?;
    let homes = ask(server, address, &FindAddressBookHomeSet::new(&principal)).await?.home_sets;
    let mut books = Vec::new();
    for home in &homes {
        let home = here(address, home)?;
        books.extend(ask(server, address, &FindAddressBooks::new(&home)).await?.addressbooks);
    }
    if books.is_empty() { Err(PullError::NoBook) } else { Ok(books) }
}

/// The book that an address is of, if it is one.
async fn book_itself(
    server: &impl DavServer,
    address: &Uri,
    path: &str,
) -> Result<Option<FoundCollection>, PullError> {
    let request = FindCollections::new(path).with_collection_type(&names::ADDRESSBOOK);
    let mut prepared = request.prepare_request(address.clone()).map_err(|_| PullError::NoBook)?;
    // The library asks for what lies below; here it is the place itself.
    prepared.headers_mut().insert("Depth", HeaderValue::from_static("0"));
    prepared.headers_mut().remove("Prefer");
    match read(&request, server.call(prepared).await?) {
        Ok(found) => Ok(found.collections.into_iter().next()),
        Err(PullError::Status(400..=499) | PullError::Garbage) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The path of a place on this very server: the password goes to no other.
fn here(address: &Uri, place: &Uri) -> Result<String, PullError> {
    let same = place.authority().is_none_or(|there| address.authority() == Some(there));
    if same { Ok(place.path().to_owned()) } else { Err(CallError::Elsewhere.into()) }
}
