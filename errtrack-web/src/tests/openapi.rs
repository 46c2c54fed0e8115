//! The description of the API.

use super::support::TestApp;

#[tokio::test]
async fn the_document_stands_open_and_names_what_is_served() {
    let app = TestApp::new().await;
    let answer = app.send("GET", "/openapi.json", &[], "").await;
    assert_eq!((answer.status.as_u16(), &answer.headers["content-type"]), (200, &"application/json".parse().unwrap()));
    let document = answer.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["paths"]["/api/errors"]["get"]["security"][0]["key"][0], "read");
}
