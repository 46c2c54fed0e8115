//! The pages of alert rules: written, tried, saved, switched off; and who may do that.

use super::Browser;
use crate::{Access, Role};
use axum::http::StatusCode;
use errtrack_core::Timestamp;

#[tokio::test]
async fn an_alert_rule_is_tried_saved_fires_and_is_switched_off() {
    let mut browser = Browser::signed_in().await;
    let empty = browser.get("/alerts").await;
    assert!(empty.text.contains("No rules yet") && empty.text.contains("/ops/errors/alerts/new"), "{}", empty.text);
    assert!(empty.text.contains("aria-current=\"page\">Alerts"), "it is in the main menu");
    for _ in 0..3 {
        browser.report("Broken").await;
    }
    let wrong = "name=Much&when=condition&condition=error_count+%3D+2+in+5m&notifications=email&enabled=on";
    let answer = browser.post("/alerts", &format!("{wrong}&do=save")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text.contains("id=\"problem-condition\""), "{}", answer.text);
    assert!(answer.text.contains("aria-invalid=\"true\" aria-describedby=\"problem-condition\""));
    assert!(answer.text.contains("olumn 13: expected &#62;"), "{}", answer.text);
    assert!(answer.text.contains("value=\"Much\""), "what was typed stays");

    let right = wrong.replace("%3D", "%3E");
    let tried = browser.post("/alerts", &format!("{right}&do=preview")).await;
    assert!(tried.text.contains("It would have fired once in the last 7 days."), "{}", tried.text);
    assert!(browser.get("/alerts").await.text.contains("No rules yet"), "nothing was kept");
    let saved = browser.post("/alerts", &format!("{right}&do=save")).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER);
    let url = saved.header("location").strip_prefix("/ops/errors").unwrap().to_owned();
    let rule = url.split('?').next().unwrap().to_owned();
    assert!(browser.get(&url).await.text.contains("It holds from now on"));

    browser.tracker.evaluate_alerts(Timestamp::now()).await.unwrap();
    let page = browser.get(&rule).await;
    assert!(page.text.contains("Condition met") && page.text.contains("3 (2)"), "{}", page.text);
    let list = browser.get("/alerts").await;
    assert!(list.text.contains("firing") && list.text.contains("What was told"), "{}", list.text);

    let trigger = "name=Back&when=regression&condition=&environment=production&enabled=on&do=";
    let wrong = browser.post(&rule, &format!("{trigger}preview&filter=user+%3D+1")).await;
    assert!(wrong.text.contains("id=\"problem-filter\""), "{}", wrong.text);
    let filter = "filter=release+%3D+1.2+and+tag.team+%3D+payments";
    let tried = browser.post(&rule, &format!("{trigger}preview&{filter}")).await;
    assert!(tried.text.contains("It would not have fired since 20"), "{}", tried.text);
    assert_eq!(browser.post(&rule, &format!("{trigger}save&{filter}")).await.status, StatusCode::SEE_OTHER);
    assert!(browser.get(&rule).await.text.contains("value=\"release = 1.2 and tag.team = payments\""));
    assert!(browser.get("/alerts").await.text.contains("A resolved issue comes back"));
    assert_eq!(browser.post(&format!("{rule}/switch"), "enabled=off").await.status, StatusCode::SEE_OTHER);
    assert!(browser.get(&rule).await.text.contains("Switch it on"));
    assert_eq!(browser.post(&format!("{rule}/delete"), "").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get(&rule).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_may_only_look_sees_rules_and_no_form() {
    let mut browser = Browser::with(Access::host(|_| Some(Role::Viewer))).await;
    assert_eq!(browser.get("/alerts").await.status, StatusCode::OK);
    assert!(!browser.get("/alerts").await.text.contains("New rule"));
    assert_eq!(browser.get("/alerts/new").await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.post("/alerts", "name=x&do=save").await.status, StatusCode::FORBIDDEN);
}
