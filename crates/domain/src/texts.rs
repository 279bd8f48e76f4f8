//! The texts that Hutong sends, in each language, with the parts each must have.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::catalogue::{Offering, Provider};
use crate::confirmation::ConfirmationCode;
use crate::locale::Locale;
use crate::money::{Period, Price};
use crate::order::Reason;

/// The sign-in code's text: its first run of six digits is the code, which counts for so many minutes.
pub fn sign_in(locale: Locale, code: &str, minutes: i64) -> String {
    match locale {
        Locale::Chinese => format!("【胡同】登录验证码{code}，{minutes}分钟内有效。请勿告诉他人。"),
        Locale::English => {
            format!("[Hutong] Your sign-in code is {code}, valid for {minutes} minutes. Tell it to nobody.")
        }
    }
}

/// What a confirmation's text is made of.
pub struct Confirmation<'a> {
    /// The service.
    pub offering: &'a Offering,
    /// Who runs it.
    pub provider: &'a Provider,
    /// The code to answer with.
    pub code: &'a ConfirmationCode,
    /// Until when; shown in `zone`.
    pub until: Timestamp,
    /// The operator's time zone.
    pub zone: &'a TimeZone,
}

/// The confirmation's text, of two parts at most: long names are cut. Its first run of exactly four digits is the
/// code, which stands before the names, because a person and a program both look for four.
pub fn confirmation(locale: Locale, parts: &Confirmation<'_>) -> String {
    let Confirmation { offering, provider, .. } = parts;
    let (name, by) = (offering.name.text(locale), provider.name.text(locale));
    let whole = write_confirmation(locale, parts, name, by);
    if fits_two_parts(&whole) {
        return whole;
    }
    let (mut name, mut by) = (name.chars().count(), by.chars().count());
    loop {
        // The longer one loses first; nothing else may be left out.
        if name >= by {
            name -= 1
        } else {
            by -= 1
        };
        let cut = |text: &str, count: usize| match text.char_indices().nth(count) {
            Some((end, _)) => format!("{}{}", &text[..end], if text.is_ascii() { "..." } else { "…" }),
            None => text.to_owned(),
        };
        let (shown, runs) = (cut(offering.name.text(locale), name), cut(provider.name.text(locale), by));
        let text = write_confirmation(locale, parts, &shown, &runs);
        if fits_two_parts(&text) || name + by == 0 {
            return text;
        }
    }
}

fn write_confirmation(locale: Locale, parts: &Confirmation<'_>, name: &str, by: &str) -> String {
    let Confirmation { offering, code, until, zone, .. } = parts;
    let until = until.to_zoned((*zone).clone());
    let price = price(locale, offering.price);
    let code = code.expose();
    match locale {
        Locale::Chinese => {
            let renews = if offering.renews { "按期自动续订" } else { "不自动续订" };
            let until = until.strftime("%-m月%-d日%H:%M");
            format!(
                "【胡同】回复{code}确认订购{by}的“{name}”，{price}，确认即开通扣费，{renews}。{until}前有效；回复其他或不回复则不订购、不扣费。回复免费。退订：发TD"
            )
        }
        Locale::English => {
            let renews = if offering.renews { "renews itself" } else { "does not renew" };
            let until = until.strftime("%b %-d %H:%M");
            if has_short_characters(name) && has_short_characters(by) {
                return format!(
                    "[Hutong] Reply {code} to order \"{name}\" by {by}: {price}, starts at once, {renews}. Until {until}; any other reply or none: no order, no charge. Replies are free. To end it: text TD"
                );
            }
            // A name in another script makes every character of the text count double.
            let renews = if offering.renews { "renews" } else { "no renewal" };
            format!(
                "Hutong: reply {code} to order {name} by {by}, {price}, starts at once, {renews}. Until {until}. Reply free. To end it: TD"
            )
        }
    }
}

/// Whether a text can go in seven bits a character: ASCII without the backtick (3GPP TS 23.038, 6.2.1).
fn has_short_characters(text: &str) -> bool {
    text.is_ascii() && !text.contains('`')
}

/// Whether a text has two parts at most: of 153 septets, of which some characters take two, or of 67 UCS-2 characters.
fn fits_two_parts(text: &str) -> bool {
    if !has_short_characters(text) {
        return text.encode_utf16().count() <= 2 * 67;
    }
    let long = |c: &char| matches!(c, '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|');
    text.len() + text.chars().filter(long).count() <= 2 * 153
}

/// A price as it stands in a text, such as `5元/月`.
pub fn price(locale: Locale, price: Price) -> String {
    let amount = price.money.amount();
    let amount = amount.trim_end_matches("00").trim_end_matches('.');
    match locale {
        Locale::Chinese => {
            let unit = if price.money.currency() == "CNY" { "元" } else { price.money.currency() };
            let period = match price.period {
                Period::Once => "次",
                Period::Day => "天",
                Period::Week => "周",
                Period::Month => "月",
                Period::Year => "年",
            };
            format!("{amount}{unit}/{period}")
        }
        Locale::English => match price.period {
            Period::Once => format!("{amount} {} once", price.money.currency()),
            period => format!("{amount} {} a {}", price.money.currency(), period.word()),
        },
    }
}

/// The receipt after a service started.
pub fn receipt_started(locale: Locale, offering: &Offering) -> String {
    let (name, price) = (offering.name.text(locale), price(locale, offering.price));
    match locale {
        Locale::Chinese => format!("【胡同】已开通“{name}”，{price}。如需取消，发TD退订。"),
        Locale::English => format!("[Hutong] \"{name}\" is on, {price}. To end it, text TD."),
    }
}

/// The receipt after a service of the operator's own started: there is a free way back for a day.
pub fn receipt_started_own(locale: Locale, offering: &Offering) -> String {
    let (name, price) = (offering.name.text(locale), price(locale, offering.price));
    match locale {
        Locale::Chinese => {
            format!("【胡同】已开通“{name}”，{price}。24小时内发QX免费撤销；以后取消发TD退订。")
        }
        Locale::English => {
            format!(
                "[Hutong] \"{name}\" is on, {price}. Text QX within 24 hours to undo it free of charge; later, text TD."
            )
        }
    }
}

/// The receipt after somebody joined a short-number group; `way_back` where there is a free one for a day.
pub fn receipt_joined(locale: Locale, offering: &Offering, short_number: &str, way_back: bool) -> String {
    let (name, price) = (offering.name.text(locale), price(locale, offering.price));
    match locale {
        Locale::Chinese => {
            let undo = if way_back { "24小时内发QX免费撤销；" } else { "" };
            format!("【胡同】已加入“{name}”，{price}。您的短号：{short_number}。{undo}退出发TD退订。")
        }
        Locale::English => {
            let undo = if way_back { "Text QX within 24 hours to undo it free of charge. " } else { "" };
            format!(
                "[Hutong] You have joined \"{name}\", {price}. Your short number: {short_number}. {undo}To leave, text TD."
            )
        }
    }
}

/// The receipt after the free way back.
pub fn receipt_undone(locale: Locale, offering: &Offering) -> String {
    let name = offering.name.text(locale);
    match locale {
        Locale::Chinese => format!("【胡同】已撤销“{name}”，费用退回。"),
        Locale::English => format!("[Hutong] \"{name}\" was undone. The charge is given back."),
    }
}

/// The text when a subscription could not go on because its payer cannot pay.
pub fn renewal_refused(locale: Locale, name: &str) -> String {
    match locale {
        Locale::Chinese => {
            format!(
                "【胡同】“{name}”续订未扣费，已暂停：余额、限额或业务限制不允许。30天内恢复即继续；退订发TD。"
            )
        }
        Locale::English => format!(
            "[Hutong] \"{name}\" is paused, nothing was charged: balance, spending cap or a bar stands against it. It goes on if that changes within 30 days. To end it, text TD."
        ),
    }
}

/// The receipt after a service ended.
pub fn receipt_ended(locale: Locale, offering: &Offering) -> String {
    let name = offering.name.text(locale);
    match locale {
        Locale::Chinese => format!("【胡同】已退订“{name}”，不再扣费。"),
        Locale::English => format!("[Hutong] \"{name}\" has ended. Nothing more is charged."),
    }
}

/// The text after an order that came to nothing.
pub fn not_ordered(locale: Locale, name: &str, reason: Reason) -> String {
    let why = reason_words(locale, reason);
    match locale {
        Locale::Chinese => format!("【胡同】“{name}”未订购，未扣费：{why}。"),
        Locale::English => format!("[Hutong] \"{name}\" was not ordered, nothing was charged: {why}."),
    }
}

/// A reason as a person reads it.
pub fn reason_words(locale: Locale, reason: Reason) -> &'static str {
    let (chinese, english) = match reason {
        Reason::PayerCheckFailed => {
            ("余额、限额或业务限制不允许", "balance, spending cap or a bar stands against it")
        }
        Reason::ConflictingService => ("与您已有的业务冲突", "it conflicts with a service you have"),
        Reason::OfferingChanged => {
            ("业务内容或价格已变更，请重新查看", "price or terms changed; look at it again")
        }
        Reason::AlreadySubscribed => ("您已订购该业务", "you already have it"),
        Reason::OrderOpen => ("该业务已有订单在处理中", "an order for it is already open"),
        Reason::ProviderNotDesignated => {
            ("该提供商未获授权", "its provider has no contract with the operator")
        }
        Reason::OfferingNotAvailable => ("该业务现在不可订购", "it cannot be ordered now"),
        Reason::ConfirmationMismatch => ("回复内容与确认码不符", "the reply was not the code"),
        Reason::UserDeclined => ("您已拒绝", "you declined"),
        Reason::ConfirmationTimeout => ("未在时限内回复", "no reply in time"),
        Reason::TextUndeliverable => ("确认短信无法送达", "the confirmation text could not be delivered"),
        Reason::ActivationFailed => ("提供商开通失败", "the provider could not start it"),
        Reason::PlatformUnreachable => {
            ("业务平台暂不可用，请稍后再试", "the platform cannot be reached; try later")
        }
        Reason::SimSwapped => ("SIM卡刚更换过", "the SIM card was changed a short while ago"),
        Reason::SimUnchecked => ("暂时无法核实SIM卡", "the SIM card could not be checked"),
        Reason::NumberReassigned => ("号码已更换机主", "the number has a new owner"),
        Reason::UserCancelled => ("您已取消", "you cancelled it"),
        Reason::NotSubscribed => ("您没有订购该业务", "you do not have it"),
        Reason::InAnotherGroup => ("您已在其他短号群中", "you are in another short-number group"),
        Reason::GroupFull => ("对方的短号群已满", "the group is full"),
        Reason::FriendLeftGroup => ("对方已不在该短号群中", "your friend is no longer in the group"),
    };
    match locale {
        Locale::Chinese => chinese,
        Locale::English => english,
    }
}

/// The answer to a bare yes.
pub fn ask_for_code(locale: Locale) -> &'static str {
    match locale {
        Locale::Chinese => "【胡同】请回复短信中的四位数字确认码。回复其他内容则不订购、不扣费。",
        Locale::English => {
            "[Hutong] Please reply with the four digits of the code. Any other reply orders nothing."
        }
    }
}

/// The answer to a call for help, and to a text that cannot be placed.
pub fn help(locale: Locale) -> &'static str {
    match locale {
        Locale::Chinese => "【胡同】确认订购：回复短信中的四位确认码；拒绝：回复否；退订业务：发TD。",
        Locale::English => {
            "[Hutong] To order: reply with the code's four digits. To refuse: reply NO. To end a service: text TD."
        }
    }
}

/// The answer to a code whose time has run out.
pub fn expired(locale: Locale) -> &'static str {
    match locale {
        Locale::Chinese => "【胡同】没有等待确认的订单，或确认时限已过。未订购、未扣费。",
        Locale::English => {
            "[Hutong] No order waits for a reply, or its time has run out. Nothing was ordered or charged."
        }
    }
}

/// The answer to TD: what can be ended, and with which word.
pub fn unsubscribe_list(locale: Locale, names: &[&str]) -> String {
    let mut lines = match locale {
        Locale::Chinese if names.is_empty() => "【胡同】您没有可退订的业务。".to_owned(),
        Locale::English if names.is_empty() => "[Hutong] You have no service to end.".to_owned(),
        Locale::Chinese => "【胡同】退订请回复：".to_owned(),
        Locale::English => "[Hutong] To end a service, reply:".to_owned(),
    };
    for (index, name) in names.iter().enumerate() {
        lines.push_str(&format!(" TD{} {name};", index + 1));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{OfferingId, ProviderId, ProviderKind};
    use crate::locale::Localised;
    use crate::money::Money;

    fn words(chinese: &str, english: &str) -> Localised {
        let pair = |(tag, text): (&str, &str)| (tag.to_owned(), text.to_owned());
        Localised([("zh-CN", chinese), ("en", english)].map(pair).into_iter().collect())
    }

    fn text(locale: Locale, amount: &str) -> String {
        named(locale, amount, &words("彩铃包月", "Ring tones"), &words("XX科技", "XX Tech"))
    }

    fn named(locale: Locale, amount: &str, name: &Localised, by: &Localised) -> String {
        let offering = Offering {
            id: OfferingId::parse("crbt").unwrap(),
            provider: ProviderId::parse("xx").unwrap(),
            name: name.clone(),
            price: Price { money: Money::parse(amount, "CNY").unwrap(), period: Period::Month },
            renews: true,
            sensitive: false,
            active: true,
            terms: Localised::default(),
            how_to_cancel: Localised::default(),
            conflicts_with: vec![],
            version: 1,
        };
        let provider = Provider {
            id: offering.provider.clone(),
            name: by.clone(),
            kind: ProviderKind::Designated,
            from: None,
            until: None,
        };
        let code = ConfirmationCode::parse("4827").unwrap();
        let until = "2026-11-23T02:15:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        confirmation(
            locale,
            &Confirmation { offering: &offering, provider: &provider, code: &code, until, zone: &zone },
        )
    }

    #[test]
    fn each_text_about_a_charge_fits_two_parts() {
        let name = "一个名字很长的业务包月套餐";
        let long = Offering {
            id: OfferingId::parse("x").unwrap(),
            provider: ProviderId::parse("op").unwrap(),
            name: words(name, "A service with a rather long name"),
            price: Price { money: Money::parse("1234.56", "CNY").unwrap(), period: Period::Month },
            renews: true,
            sensitive: false,
            active: true,
            terms: Localised::default(),
            how_to_cancel: Localised::default(),
            conflicts_with: vec![],
            version: 1,
        };
        for locale in [Locale::Chinese, Locale::English] {
            let started = receipt_started_own(locale, &long);
            assert!(started.contains("QX") && started.contains("TD"), "{started}");
            let joined = receipt_joined(locale, &long, "666666", true);
            assert!(joined.contains("QX") && joined.contains("TD") && joined.contains("666666"), "{joined}");
            assert!(!receipt_joined(locale, &long, "600", false).contains("QX"));
            let refused = renewal_refused(locale, long.name.text(locale));
            for text in [started, joined, receipt_undone(locale, &long), refused] {
                let fits =
                    if text.is_ascii() { text.len() <= 306 } else { text.encode_utf16().count() <= 134 };
                assert!(fits, "{text}");
            }
        }
    }

    #[test]
    fn a_confirmation_has_every_required_part() {
        let chinese = text(Locale::Chinese, "5.00");
        for part in [
            "XX科技",
            "彩铃包月",
            "5元/月",
            "确认即开通",
            "自动续订",
            "11月23日10:15",
            "4827",
            "免费",
            "退订",
        ] {
            assert!(chinese.contains(part), "{part} in {chinese}");
        }
        let english = text(Locale::English, "5.00");
        for part in [
            "XX Tech",
            "Ring tones",
            "5 CNY a month",
            "starts at once",
            "renews",
            "Nov 23 10:15",
            "4827",
            "free",
            "end it",
        ] {
            assert!(english.contains(part), "{part} in {english}");
        }
    }

    #[test]
    fn a_confirmation_fits_two_parts_and_keeps_every_part_whatever_the_names() {
        let only = |tag: &str, name: &str| Localised([(tag.to_owned(), name.to_owned())].into());
        let long = "彩铃".repeat(100);
        let names = [
            words("彩铃包月", "Ring tones"),
            words("2026套餐", "Plan 2026 [best] {new}"),
            words(&long, &"Ring tones ".repeat(40)),
            only("zh-CN", "彩铃包月"),
            only("zh-CN", &long),
            only("en", "Ring `tones`"),
            only("en", &"[]".repeat(200)),
        ];
        for (name, by) in names.iter().flat_map(|name| names.iter().map(move |by| (name, by))) {
            for (locale, amount) in
                [(Locale::Chinese, "5.00"), (Locale::English, "5.00"), (Locale::English, "1234.56")]
            {
                let text = named(locale, amount, name, by);
                assert!(fits_two_parts(&text), "{} {text}", text.chars().count());
                let parts: &[&str] = match locale {
                    Locale::Chinese => {
                        &["4827", "元/月", "确认即开通", "自动续订", "11月23日10:15", "免费", "退订"]
                    }
                    Locale::English => {
                        &["4827", "CNY a month", "starts at once", "renews", "Nov 23 10:15", "ree", "end it"]
                    }
                };
                for part in parts {
                    assert!(text.contains(part), "{part} in {text}");
                }
                let code = text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 4);
                assert_eq!(code, Some("4827"), "{text}");
                let begins = |name: &Localised| name.text(locale).chars().take(2).collect::<String>();
                assert!(text.contains(&begins(name)) && text.contains(&begins(by)), "{text}");
            }
        }
    }

    #[test]
    fn the_first_run_of_four_digits_is_the_code_whatever_the_price() {
        for amount in ["5.00", "1234.00", "1999.99"] {
            for locale in [Locale::Chinese, Locale::English] {
                let text = text(locale, amount);
                let run = text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 4).unwrap();
                assert_eq!(run, "4827", "{text}");
            }
        }
    }
}
