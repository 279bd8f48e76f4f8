//! The column headings of exported tables.

/// Words of which one makes a heading one of a telephone column, in languages written with spaces.
const PHONE_WORDS: [&str; 17] = [
    "phone",
    "phones",
    "telephone",
    "tel",
    "mobile",
    "cell",
    "cellphone",
    "fax",
    "pager",
    "callback",
    "msisdn",
    "telefon",
    "mobil",
    "handy",
    "telefono",
    "teléfono",
    "téléphone",
];

/// The same for Chinese and Japanese, which are written without spaces.
const PHONE_PARTS: [&str; 15] = [
    "电话",
    "手机",
    "座机",
    "固话",
    "传真",
    "寻呼",
    "小灵通",
    "联系方式",
    "短号",
    "電話",
    "手機",
    "傳真",
    "行動",
    "携帯",
    "话机",
];

/// Words of headings that stand beside a telephone column and tell its sort.
const BESIDE_WORDS: [&str; 10] =
    ["type", "label", "carrier", "phonetic", "email", "e-mail", "extension", "country", "model", "os"];

/// The same in Chinese.
const BESIDE_PARTS: [&str; 8] = ["类型", "标签", "型号", "邮", "归属", "時間", "时间", "品牌"];

/// Headings that are a telephone column only as a whole.
const WHOLE: [&str; 6] = ["number", "numbers", "号码", "號碼", "联系号码", "primary"];

/// Whether a heading is one of a column of telephone numbers.
pub(super) fn is_phone(heading: &str) -> bool {
    let heading = normal(heading);
    let words: Vec<&str> = words(&heading).collect();
    let beside = words.iter().any(|word| BESIDE_WORDS.contains(word))
        || BESIDE_PARTS.iter().any(|part| heading.contains(part));
    if beside {
        return false;
    }
    WHOLE.contains(&heading.as_str())
        || words.iter().any(|word| PHONE_WORDS.contains(word))
        || PHONE_PARTS.iter().any(|part| heading.contains(part))
}

/// What a heading says about a person's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NamePart {
    /// The whole name.
    Whole,
    /// The family name, first in Chinese tables.
    Family,
    /// The given name.
    Given,
}

/// Whether a heading is one of a name column.
pub(super) fn find_name_part(heading: &str) -> Option<NamePart> {
    match normal(heading).as_str() {
        "name" | "full name" | "display name" | "contact name" | "姓名" | "联系人" | "显示名称" | "名称" => {
            Some(NamePart::Whole)
        }
        "last name" | "family name" | "surname" | "姓" | "姓氏" => Some(NamePart::Family),
        "first name" | "given name" | "名" | "名字" => Some(NamePart::Given),
        _ => None,
    }
}

fn normal(heading: &str) -> String {
    heading.trim().trim_matches(['"', '*', ':', '：']).trim().to_lowercase()
}

fn words(heading: &str) -> impl Iterator<Item = &str> {
    heading
        .split(|c: char| !(c.is_alphabetic() || c == '-'))
        .map(|word| word.trim_matches('-'))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephone_columns_of_the_known_exporters_are_found() {
        for yes in [
            "Phone 1 - Value",
            "Mobile Phone",
            "Home Phone 2",
            "Business Fax",
            "Assistant's Phone",
            "Callback",
            "Pager",
            "Company Main Phone",
            "移动电话",
            "住宅电话",
            "商务电话 2",
            "商务传真",
            "单位主要电话",
            "手机",
            "手机号码",
            "联系电话",
            "Tel",
            "TEL.",
            "Mobile",
            "phone_number",
            "號碼",
            "TTY/TDD Phone",
        ] {
            assert!(is_phone(yes), "{yes}");
        }
        for no in [
            "Phone 1 - Type",
            "Phone 1 - Label",
            "Phonetic First Name",
            "E-mail 1 - Value",
            "Hotel",
            "Telex",
            "身份证号码",
            "QQ号码",
            "电子邮件地址",
            "Name",
            "Notes",
            "手机型号",
            "ISDN",
        ] {
            assert!(!is_phone(no), "{no}");
        }
    }
}
