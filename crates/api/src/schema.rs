//! Schemas of the domain's words, written from their own tables so that they cannot part.

use domain::consent::Consent;
use domain::locale::Locale;
use domain::order::{OrderAction, Progress, Reason};
use utoipa::PartialSchema;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, Type};

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
    ArrayBuilder::new().items(OneOfBuilder::new().item(consent()).item(ConsentText::schema()))
}
