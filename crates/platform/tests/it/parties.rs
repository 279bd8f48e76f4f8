//! TMF632, 669 and 644: who the customers are, the parts that are played, and the consents in force.

use http::StatusCode;
use serde_json::json;

use crate::house::*;

const PEOPLE: &str = "/tmf-api/party/v4/individual";
const ROLES: &str = "/tmf-api/partyRoleManagement/v4/partyRole";
const AGREEMENTS: &str = "/tmf-api/privacyManagement/v4/partyPrivacyAgreement";

#[tokio::test]
async fn customers_are_listed_and_found_by_their_number_until_they_are_erased() {
    let house = House::new().await;
    house.order("e1", ANNA, "news").await;
    house.order("e2", BEN, "news").await;
    let (_, headers, people) = house.get(&format!("{PEOPLE}?sort=id")).await;
    assert_eq!(
        (&headers["x-total-count"], &people[0]["id"], &people[1]["id"]),
        (&"2".parse().unwrap(), &json!(ANNA), &json!(BEN))
    );
    let (_, _, one) = house.get(&format!("{PEOPLE}/{ANNA}")).await;
    assert_eq!(one, people[0]);
    let (_, _, found) = house.get(&format!("{PEOPLE}?id=%2B8613800138002")).await;
    assert_eq!(found, json!([people[1]]));
    let other = PEOPLE.replace("/party/", "/partyManagement/");
    assert_eq!(house.get(&format!("{other}/{ANNA}")).await.2, one);
    assert_eq!(house.get(&format!("{PEOPLE}/+8613800138009")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(house.delete(&format!("{PEOPLE}/{ANNA}")).await.0, StatusCode::NO_CONTENT);
    assert_eq!(house.get(&format!("{PEOPLE}/{ANNA}")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(house.get(PEOPLE).await.2, json!([people[1]]));
}

#[tokio::test]
async fn the_parts_are_those_of_providers_and_customers() {
    let house = House::new().await;
    house.order("e1", ANNA, "news").await;
    let (_, headers, roles) = house.get(&format!("{ROLES}?offset=1&limit=3")).await;
    let ids: Vec<_> = roles.as_array().unwrap().iter().map(|role| role["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["provider:xx", "provider:zz", "customer:+8613800138001"]);
    assert_eq!(headers["x-total-count"], "4");
    for role in roles.as_array().unwrap() {
        let (_, _, one) = house.get(&format!("{ROLES}/{}", role["id"].as_str().unwrap())).await;
        assert_eq!(&one, role);
    }
    assert_eq!(house.get(&format!("{ROLES}?name=provider&engagedParty.id=op")).await.1["x-total-count"], "1");
    for id in ["x", "provider:none", "customer:+8613800138009", "customer:x"] {
        assert_eq!(house.get(&format!("{ROLES}/{id}")).await.0, StatusCode::NOT_FOUND, "{id}");
    }
}

#[tokio::test]
async fn consents_in_force_are_shown_and_those_taken_back_are_not() {
    let house = House::new().await;
    let number = domain::Msisdn::parse_e164(ANNA).unwrap();
    let (world, key) = (house.platform.world.clone(), house.platform.store.keys().contact_key(number));
    let write = house.platform.store.write(move |tx| {
        let session = store::contacts::NewSession {
            id: domain::ids::SessionId(world.uuid()),
            token: "a-token-of-annas".to_owned(),
            device: None,
        };
        let fresh = domain::ids::SubscriberId(world.uuid());
        tx.contacts().sign_in(number, domain::locale::Locale::default(), fresh, &session)?;
        tx.contacts().give_consent(key, domain::consent::Consent::Upload, "v1")?;
        tx.contacts().give_consent(key, domain::consent::Consent::Subscriptions, "v2")
    });
    write.await.unwrap_or_else(|error: store::StoreError| panic!("{error}"));
    let (_, headers, given) =
        house.get(&format!("{AGREEMENTS}?engagedPartyRole.id=%2B8613800138001&sort=name")).await;
    assert_eq!(headers["x-total-count"], "2");
    assert_eq!((&given[0]["name"], &given[0]["version"]), (&json!("subscriptions"), &json!("v2")));
    let path = format!("{AGREEMENTS}/{}", given[1]["id"].as_str().unwrap());
    assert_eq!(house.get(&path).await.2, given[1]);
    let take = house
        .platform
        .store
        .write(move |tx| tx.contacts().take_back_consent(key, domain::consent::Consent::Upload));
    take.await.unwrap_or_else(|error: store::StoreError| panic!("{error}"));
    assert_eq!(house.get(&path).await.0, StatusCode::NOT_FOUND);
    assert_eq!(house.get(AGREEMENTS).await.2, json!([given[0]]));
    assert_eq!(house.get(&format!("{AGREEMENTS}/{ANNA}:nothing")).await.0, StatusCode::NOT_FOUND);
}
