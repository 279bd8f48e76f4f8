use proptest::prelude::*;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType};
use serde_json::Value;

use super::*;

/// Hand-labelled Chinese cases with the wanted reading.
const INTENT: &str = include_str!("../../tests/fixtures/phones/cn_intent.jsonl");
/// Numbers as people write them, with the answer of the reference port of libphonenumber.
const VECTORS: &str = include_str!("../../tests/fixtures/phones/vectors.jsonl");

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn e164s(reading: &Reading) -> Vec<String> {
    reading.numbers.iter().map(|number| number.e164()).collect()
}

fn cn(raw: &str) -> Reading {
    read(raw, Region::CN)
}

#[test]
fn every_labelled_chinese_case_is_read_as_wanted() {
    let mut wrong = Vec::new();
    for row in rows(INTENT) {
        let reading = read(text(&row, "raw"), Region::parse(text(&row, "region")).unwrap());
        let wanted: Vec<&str> =
            row.get("expect").unwrap().as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let kind = serde_json::to_value(reading.kind).unwrap();
        if e164s(&reading) != wanted || kind != text(&row, "kind") {
            wrong.push((row.clone(), reading.kind, e164s(&reading), reading.reason));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_valid_vector_has_the_same_e164_as_the_reference() {
    let mut wrong = Vec::new();
    let mut valid = 0;
    for row in rows(VECTORS) {
        if row.get("valid").and_then(Value::as_i64) != Some(1) {
            continue;
        }
        valid += 1;
        let reading = read(text(&row, "raw"), Region::parse(text(&row, "region")).unwrap());
        let mobile = matches!(text(&row, "type"), "MOBILE" | "FIXED_LINE_OR_MOBILE");
        if e164s(&reading) != [text(&row, "e164")] || reading.matchable.is_empty() == mobile {
            wrong.push((row.clone(), e164s(&reading), reading.reason));
        }
    }
    assert_eq!(valid, 1_445);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What the reference refuses and we read must be a Chinese way of writing or an extension.
#[test]
fn nothing_is_read_out_of_an_invalid_vector_but_what_people_meant() {
    let meant = [
        "cn_m_star31",
        "cn_m_car",
        "cn_m_car+",
        "cn_m_car+86",
        "cn_m_car86",
        "cn_f_car",
        "cn_f_ext",
        "cn_f_zhuan",
        "ext",
        "nongeo_ext",
    ];
    let mut wrong = Vec::new();
    for row in rows(VECTORS) {
        let reading = read(text(&row, "raw"), Region::parse(text(&row, "region")).unwrap());
        let refused = row.get("valid").and_then(Value::as_i64) != Some(1);
        if refused && reading.valid && !meant.contains(&text(&row, "cls")) {
            wrong.push((row.clone(), e164s(&reading)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// For every region and every sort of number its example, in four ways of writing it.
#[test]
fn examples_of_every_region_are_read_as_the_library_reads_them() {
    use PhoneNumberType as T;
    let sorts = [
        T::FixedLine,
        T::Mobile,
        T::TollFree,
        T::PremiumRate,
        T::SharedCost,
        T::VoIP,
        T::PersonalNumber,
        T::Pager,
        T::UAN,
        T::VoiceMail,
    ];
    let mut seen = 0;
    let mut beyond = 0;
    let mut wrong = Vec::new();
    for region in PHONE_NUMBER_UTIL.get_supported_regions() {
        let home = Region::parse(region.as_region_str().as_str()).unwrap();
        for sort in sorts {
            let Ok(example) = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, sort) else {
                continue;
            };
            let e164 = PHONE_NUMBER_UTIL.format(&example, PhoneNumberFormat::E164).into_owned();
            if Msisdn::parse_e164(&e164).is_err() {
                beyond += 1;
                continue;
            }
            for format in [
                PhoneNumberFormat::E164,
                PhoneNumberFormat::International,
                PhoneNumberFormat::National,
                PhoneNumberFormat::RFC3966,
            ] {
                let raw = PHONE_NUMBER_UTIL.format(&example, format).into_owned();
                let from = if format == PhoneNumberFormat::National { home } else { Region::CN };
                let same = PHONE_NUMBER_UTIL
                    .parse(&raw, Some(from.inner()))
                    .is_ok_and(|number| PHONE_NUMBER_UTIL.is_valid_number(&number));
                seen += 1;
                if same && e164s(&read(&raw, from)) != [e164.clone()] {
                    wrong.push((raw, from, e164s(&read(&e164, from)), e164.clone()));
                }
            }
        }
    }
    assert!(seen > 4_000, "{seen}");
    // A handful of plans have numbers that E.164 has no room for or that have fewer than 7 digits.
    assert!(beyond < 20, "{beyond}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The library by itself, over its own copy of the plans.
fn theirs(raw: &str, region: Region) -> Option<plan::Found> {
    let number = PHONE_NUMBER_UTIL.parse(raw, Some(region.inner())).ok()?;
    let sort = PHONE_NUMBER_UTIL.get_number_type(&number);
    let e164 = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164);
    let mobile = matches!(sort, PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile);
    let valid = PHONE_NUMBER_UTIL.is_valid_number(&number);
    Some(plan::Found { msisdn: Msisdn::parse_e164(&e164).ok().filter(|_| valid)?, mobile })
}

/// Every usual way of writing a number, given in its country's digits and in E.164.
fn ways(national: &str, formatted: &str, e164: &str, abroad: &str) -> Vec<String> {
    let digits = e164.trim_start_matches('+');
    let (head, tail) = national.split_at(national.len() / 2);
    vec![
        formatted.to_owned(),
        formatted.replace(' ', "-"),
        formatted.replace([' ', '-'], "."),
        format!("tel: {formatted}"),
        format!("电话{formatted}"),
        format!("{formatted}转801"),
        national.to_owned(),
        format!("0{national}"),
        format!("({head}) {tail}"),
        format!("{head}/{tail}"),
        e164.to_owned(),
        format!("(+{digits})"),
        format!("+ {digits}."),
        digits.to_owned(),
        format!("00{digits}"),
        format!("011 {digits}"),
        format!("{abroad}{digits}"),
        format!("+{}0{national}", digits.strip_suffix(national).unwrap_or_default()),
    ]
}

/// What stands in a column of full-width digits reads as its plain form does.
fn full_width(raw: &str) -> String {
    raw.chars()
        .map(|c| if c.is_ascii_digit() { char::from_u32(c as u32 - 0x30 + 0xFF10).unwrap() } else { c })
        .collect()
}

#[test]
fn numbers_of_every_region_read_by_tables_are_those_that_the_library_reads() {
    // Neighbours of each example: every digit once replaced by every other, one more digit and one less.
    let mut wrong = Vec::new();
    let (mut asked, mut decided, mut valid) = (0_u32, 0_u32, 0_u32);
    let others = ["CN", "US", "IT", "AR", "KZ"].map(|code| Region::parse(code).unwrap());
    for library_region in PHONE_NUMBER_UTIL.get_supported_regions() {
        let home = Region::parse(library_region.as_region_str().as_str()).unwrap();
        let abroad = PHONE_NUMBER_UTIL.get_country_code_for_region(library_region).map_or("00", |code| {
            if code == 1 {
                "011"
            } else if code == 61 {
                "0011"
            } else {
                "00"
            }
        });
        for sort in [PhoneNumberType::FixedLine, PhoneNumberType::Mobile, PhoneNumberType::TollFree] {
            let Ok(example) = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(library_region, sort)
            else {
                continue;
            };
            let national = rlibphonenumber::get_national_significant_number_owned(&example);
            for (turn, near) in near(&national).into_iter().enumerate() {
                let code = home.country_code();
                let e164 = format!("+{code}{near}");
                let formatted = PHONE_NUMBER_UTIL.parse(&e164, None).map_or_else(
                    |_| near.clone(),
                    |number| PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::National).into_owned(),
                );
                let ways = ways(&near, &formatted, &e164, abroad);
                // The example in every way; of its neighbours each in another one.
                let chosen: Vec<_> =
                    if turn == 0 { ways } else { ways.into_iter().skip(turn % 18).take(1).collect() };
                for raw in chosen {
                    for region in [home, others[turn % others.len()]] {
                        asked += 1;
                        let wanted = theirs(&raw, region);
                        valid += u32::from(wanted.is_some());
                        let ours = match plain::read(&raw, region) {
                            plain::Plain::Unsure => continue,
                            plain::Plain::Number(found) => Some(found),
                            plain::Plain::Nothing => None,
                        };
                        decided += 1;
                        if ours != wanted {
                            wrong.push((raw.clone(), region, wanted.map(|found| found.msisdn.e164())));
                        } else if wanted.is_some() && turn == 0 {
                            assert_eq!(
                                e164s(&read(&full_width(&raw), region)),
                                e164s(&read(&raw, region)),
                                "{raw}"
                            );
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {asked}: {:#?}", wrong.len(), &wrong[..wrong.len().min(40)]);
    // The comparison must not pass by asking nothing: most is decided by tables, and much is valid.
    assert!(decided > asked / 10 * 9 && valid > asked / 3, "{decided} of {asked}, {valid} valid");
}

fn near(national: &str) -> Vec<String> {
    let mut all = vec![national.to_owned(), format!("{national}0"), national[1..].to_owned()];
    for at in 0..national.len() {
        for digit in 0..10 {
            let mut other = national.to_owned();
            other.replace_range(at..=at, &digit.to_string());
            all.push(other);
        }
    }
    all
}

#[test]
fn the_short_way_for_mainland_mobiles_agrees_with_the_library_in_every_range() {
    for range in 10_000..20_000_u32 {
        for rest in ["000000", "123456", "999999"] {
            let raw = format!("{range}{rest}");
            let national = 8_600_000_000_000 + raw.parse::<u64>().unwrap();
            // The library takes carrier prefixes off and may then find another, shorter number.
            let theirs = plan::find(&raw, Region::CN)
                .filter(|found| found.mobile && found.msisdn.digits() == national);
            assert_eq!(plan::find_mainland_mobile(&raw), theirs, "{raw}");
            if plan::read_written(&raw, Region::CN) == plan::Written::NoSuchMobile {
                assert_eq!(plan::find(&raw, Region::CN), None, "{raw}");
            }
        }
    }
}

#[test]
fn the_short_way_for_written_mobiles_agrees_with_the_library() {
    let us = Region::parse("US").unwrap();
    // One range in seven keeps the test short; the ranges themselves are compared above.
    for range in (1_300_000..2_000_000_u32).step_by(7_001) {
        let digits = format!("{range}0417");
        let (head, rest) = digits.split_at(3);
        let (middle, tail) = rest.split_at(4);
        for raw in [
            format!("{head} {middle} {tail}"),
            format!("{head}-{middle}-{tail}"),
            format!("({head}){middle}.{tail}"),
            format!("+86 {head} {middle} {tail}"),
            format!("(+86){digits}"),
            format!("+86(0){digits}"),
            format!("+86-{head}-{middle}{tail}-"),
            format!("86{digits}"),
            format!("(86) {digits}"),
            format!("0086{digits}"),
            format!("00 86 {head}-{rest}"),
            format!("0{digits}"),
            format!("+ 86 {digits}."),
        ] {
            for region in [Region::CN, us] {
                match plan::read_written(&raw, region) {
                    plan::Written::Mobile(ours) => assert_eq!(Some(ours), plan::find(&raw, region), "{raw}"),
                    plan::Written::NoSuchMobile => assert_eq!(None, plan::find(&raw, region), "{raw}"),
                    plan::Written::Other => assert_eq!((region, raw.contains('+')), (us, false), "{raw}"),
                }
            }
        }
    }
}

#[test]
fn several_numbers_in_a_field_are_all_read() {
    for (raw, wanted) in [
        ("13800138000;13900139000", vec!["+8613800138000", "+8613900139000"]),
        ("13800138000、13900139000", vec!["+8613800138000", "+8613900139000"]),
        ("13800138000/13900139000", vec!["+8613800138000", "+8613900139000"]),
        ("13800138000 13900139000", vec!["+8613800138000", "+8613900139000"]),
        ("13800138000，010-65550100", vec!["+8613800138000", "+861065550100"]),
        ("手机13800138000 办公010-65550100", vec!["+8613800138000", "+861065550100"]),
        ("13800138000 或 13900139000", vec!["+8613800138000", "+8613900139000"]),
        ("+86 138 0013 8000 ::: +86 139 0013 9000", vec!["+8613800138000", "+8613900139000"]),
        ("010-65550100/65550101", vec!["+861065550100", "+861065550101"]),
        ("1380013800013900139000", vec!["+8613800138000", "+8613900139000"]),
        ("13800138000;13800138000", vec!["+8613800138000"]),
        ("13800138000/10086", vec!["+8613800138000"]),
        ("13800138000/1", vec!["+8613800138000"]),
        ("手机1 13800138000", vec!["+8613800138000"]),
    ] {
        assert_eq!(e164s(&cn(raw)), wanted, "{raw}");
    }
    assert_eq!(cn("13800138000;010-65550100").matchable.len(), 1);
}

#[test]
fn what_is_written_around_a_number_does_not_matter() {
    for raw in [
        "13800138000(张三)",
        "13800138000 home",
        "tel:+86-138-0013-8000;ext=1",
        "*31#13800138000",
        "#31#13800138000",
        "\u{202d}+86 138 0013 8000\u{202c}",
        "'13800138000",
        "13800138000.0",
        "+86 (0) 138 0013 8000",
        "138·0013·8000",
        "138_0013_8000",
        "微信同号13800138000",
        "1 3 8 0 0 1 3 8 0 0 0",
        "13800138000转801",
        "13800138000-1234",
        "13800138000\r\n",
    ] {
        assert_eq!(e164s(&cn(raw)), ["+8613800138000"], "{raw}");
    }
}

#[test]
fn extensions_are_cut_off_landlines() {
    for raw in [
        "021-68888888转801",
        "021-68888888-801",
        "021-68888888 分机 801",
        "(021)68888888(801)",
        "021-68888888*801",
        "021-68888888,801",
        "021-68888888 ext. 801",
    ] {
        assert_eq!(e164s(&cn(raw)), ["+862168888888"], "{raw}");
    }
}

#[test]
fn every_refusal_names_its_reason() {
    for (raw, reason) in [
        ("", Refusal::Empty),
        (" \t", Refusal::Empty),
        ("110", Refusal::ShortCode),
        ("10086", Refusal::ServiceNumber),
        ("+86 10086", Refusal::ServiceNumber),
        ("客服 10086", Refusal::ServiceNumber),
        ("10086转1", Refusal::ServiceNumber),
        ("10690001", Refusal::ServiceNumber),
        ("17951", Refusal::ServiceNumber),
        ("*100#", Refusal::ServiceNumber),
        ("66123", Refusal::GroupShortNumber),
        ("661234", Refusal::GroupShortNumber),
        ("未知", Refusal::NotANumber),
        ("138****8000", Refusal::NotANumber),
        ("3号楼110室", Refusal::NotANumber),
        ("1.39E+10", Refusal::LostDigits),
        ("sip:13800138000@example.com", Refusal::Address),
        ("65550100", Refusal::NoAreaCode),
        ("852 9123 4567", Refusal::MissingPlus),
        ("1 212 555 0100", Refusal::MissingPlus),
        ("1380013800", Refusal::WrongLength),
        ("138001380001", Refusal::WrongLength),
        ("14000000000", Refusal::NotValid),
        ("17951p14000000000", Refusal::NotValid),
    ] {
        assert_eq!(cn(raw).reason, Some(reason), "{raw}");
        assert!(cn(raw).numbers.is_empty(), "{raw}");
    }
    assert_eq!(cn(&"1".repeat(RAW_CHARS_MAX + 1)).reason, Some(Refusal::TooLong));
}

#[test]
fn chinese_rules_do_not_reach_other_regions() {
    let us = Region::parse("US").unwrap();
    assert_eq!(read("911", us).kind, Kind::Short);
    assert!(read("17951 13800138000", us).numbers.is_empty());
    assert_eq!(e164s(&read("+86 17951 13800138000", us)), ["+8613800138000"]);
    assert_eq!(read("+8610086", us).kind, Kind::Short);
    assert_eq!(e164s(&read("1-800-FLOWERS", us)), ["+18003569377"]);
    assert_eq!(e164s(&read("030/123328", Region::parse("DE").unwrap())), ["+4930123328"]);
}

#[test]
fn an_own_number_is_one_mobile_number() {
    assert_eq!(read_own("138 0013 8000", Region::CN).map(Msisdn::e164).as_deref(), Ok("+8613800138000"));
    assert_eq!(read_own("010-65550100", Region::CN), Err(Refusal::NotMobile));
    assert_eq!(read_own("10086", Region::CN), Err(Refusal::ServiceNumber));
    assert_eq!(read_own("13800138000;13900139000", Region::CN), Err(Refusal::SeveralNumbers));
    assert_eq!(read_own("13800138000;010-65550100", Region::CN), Err(Refusal::SeveralNumbers));
}

fn regions() -> impl Strategy<Value = Region> {
    prop::sample::select(vec!["CN", "US", "HK", "DE", "IT", "AR", "MX", "AD", "BR", "JP"])
        .prop_map(|code| Region::parse(code).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_panic_and_numbers_read_to_themselves(raw in any::<String>(), region in regions()) {
        check(&raw, region)?;
    }

    #[test]
    fn any_dialled_text_is_read_without_panic_and_numbers_read_to_themselves(
        raw in "[0-9+*#;,/ ()pxwE.转、１-]{0,40}|(17951|12583|0086|\\+86|0)?[ ,p]?1[3-9][0-9]{9}(-[0-9]{3})?|tel:[0-9;=+a-z-]{0,30}",
        region in regions(),
    ) {
        check(&raw, region)?;
    }
}

fn check(raw: &str, region: Region) -> Result<(), TestCaseError> {
    let reading = read(raw, region);
    prop_assert_eq!(reading.valid, !reading.numbers.is_empty());
    prop_assert_eq!(reading.valid, reading.reason.is_none());
    prop_assert!(reading.matchable.iter().all(|number| reading.numbers.contains(number)));
    for number in &reading.numbers {
        let again = read(&number.e164(), region);
        prop_assert_eq!(&again.numbers, &vec![*number]);
        prop_assert_eq!(again.matchable.contains(number), reading.matchable.contains(number));
    }
    Ok(())
}
