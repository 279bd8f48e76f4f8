//! Schemas of the domain's words, written from their own tables so that they cannot part.

use domain::consent::Consent;
use domain::limits;
use domain::locale::Locale;
use domain::order::{OrderAction, Progress, Reason};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat,
    SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

use crate::consents::ConsentText;

fn words(words: impl Iterator<Item = &'static str>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words))
}

/// A moment: RFC 3339, UTC.
pub(crate) fn moment() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

/// An id that is a UUID.
pub(crate) fn id() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::Custom("uuid".to_owned())))
}

/// The states of an order.
pub(crate) fn progress() -> ObjectBuilder {
    words(Progress::ALL.iter().map(|word| word.word()))
}

/// The reasons of an order.
pub(crate) fn reason() -> ObjectBuilder {
    words(Reason::ALL.iter().map(|word| word.word()))
}

/// What an order asks for.
pub(crate) fn action() -> ObjectBuilder {
    words(OrderAction::ALL.iter().map(|word| word.word()))
}

/// The consents.
pub(crate) fn consent() -> ObjectBuilder {
    words(Consent::ALL.into_iter().map(Consent::word))
}

/// The languages.
pub(crate) fn locale() -> ObjectBuilder {
    words([Locale::Chinese, Locale::English].into_iter().map(Locale::tag))
}

/// The kinds of provider.
pub(crate) fn provider_kind() -> ObjectBuilder {
    use domain::catalogue::ProviderKind::{Designated, Other, Own};
    words([Own, Designated, Other].into_iter().map(domain::catalogue::ProviderKind::word))
}

/// The periods of a price.
pub(crate) fn period() -> ObjectBuilder {
    use domain::money::Period::{Day, Month, Once, Week, Year};
    words([Once, Day, Week, Month, Year].into_iter().map(domain::money::Period::word))
}

/// Consents by name, or with the version of the text shown.
pub(crate) fn consents_given() -> ArrayBuilder {
    ArrayBuilder::new()
        .items(OneOfBuilder::new().item(consent()).item(ConsentText::schema()))
        .max_items(Some(limits::count(limits::CONSENTS_GIVEN_MAX)))
}

fn text(pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))
}

/// Any text that a store keeps: PostgreSQL has no U+0000.
const KEPT: &str = r"^[^\u0000]*$";

/// Any text that is kept, or compared with what is.
pub(crate) fn kept_text() -> ObjectBuilder {
    text(KEPT)
}

/// The same, or nothing.
pub(crate) fn kept_text_or_null() -> ObjectBuilder {
    text(KEPT).schema_type(SchemaType::from_iter([Type::String, Type::Null]))
}

/// A number as it is written outwards: E.164.
pub(crate) fn e164() -> ObjectBuilder {
    text("^[+][1-9][0-9]{5,14}$")
}

/// Numbers as they are written outwards.
pub(crate) fn e164_list() -> ArrayBuilder {
    ArrayBuilder::new().items(e164())
}

/// A share's id outwards: URL-safe text.
pub(crate) fn share_id() -> ObjectBuilder {
    text("^[A-Za-z0-9_-]+$")
}

/// The version of a consent's text: a text or a plain counter.
pub(crate) fn consent_version() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Integer, Type::Null]))
        .max_length(Some(limits::count(limits::CONSENT_VERSION_CHARS_MAX)))
        .pattern(Some(KEPT))
        .minimum(Some(0))
        .maximum(Some(u32::MAX))
}

/// Who may see a share: a word, or people by their numbers.
pub(crate) fn audience() -> OneOfBuilder {
    let people = ArrayBuilder::new()
        .items(ObjectBuilder::new().schema_type(Type::String))
        .max_items(Some(limits::count(limits::AUDIENCE_NAMED_MAX)));
    let only = ObjectBuilder::new().property("only", people).required("only");
    OneOfBuilder::new()
        .item(words(["matches"].into_iter()))
        .item(only.additional_properties(Some(AdditionalProperties::FreeForm(false))))
}

/// A consent's name, as it stands in a path.
#[derive(Debug)]
pub struct ConsentName;

impl PartialSchema for ConsentName {
    fn schema() -> RefOr<Schema> {
        consent().into()
    }
}

impl ToSchema for ConsentName {}

/// Bytes that mean nothing to the server, and at least one of them.
#[derive(Debug)]
pub struct Blob;

impl PartialSchema for Blob {
    fn schema() -> RefOr<Schema> {
        let bytes = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1));
        bytes.format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary))).into()
    }
}

impl ToSchema for Blob {}
