//! Where each interface stands. Source: `basePath` of the TM Forum documents.

/// TMF620 Product Catalog.
pub const CATALOGUE: &str = "/tmf-api/productCatalogManagement/v4";
/// TMF622 Product Ordering.
pub const ORDERING: &str = "/tmf-api/productOrderingManagement/v4";
/// TMF637 Product Inventory.
pub const INVENTORY: &str = "/tmf-api/productInventory/v4";
/// TMF681 Communication.
pub const COMMUNICATION: &str = "/tmf-api/communicationManagement/v4";
/// TMF632 Party.
pub const PARTY: &str = "/tmf-api/party/v4";

/// Another name that [`PARTY`] goes by.
pub const PARTY_MANAGEMENT: &str = "/tmf-api/partyManagement/v4";
/// TMF669 Party Role.
pub const PARTY_ROLE: &str = "/tmf-api/partyRoleManagement/v4";
/// TMF644 Privacy.
pub const PRIVACY: &str = "/tmf-api/privacyManagement/v4";

/// The resource of parts under [`PARTY_ROLE`].
pub const PARTY_ROLE_RESOURCE: &str = "/partyRole";
/// The resource of consents under [`PRIVACY`].
pub const PARTY_PRIVACY_AGREEMENT: &str = "/partyPrivacyAgreement";
/// The resource of people under [`PARTY`].
pub const INDIVIDUAL: &str = "/individual";
/// The resource of messages under [`COMMUNICATION`].
pub const COMMUNICATION_MESSAGE: &str = "/communicationMessage";
/// The resource of offerings under [`CATALOGUE`].
pub const PRODUCT_OFFERING: &str = "/productOffering";
/// The resource of orders under [`ORDERING`].
pub const PRODUCT_ORDER: &str = "/productOrder";
/// The resource of cancellations under [`ORDERING`].
pub const CANCEL_PRODUCT_ORDER: &str = "/cancelProductOrder";
/// The resource of products under [`INVENTORY`].
pub const PRODUCT: &str = "/product";
/// The listeners' register under each interface.
pub const HUB: &str = "/hub";
