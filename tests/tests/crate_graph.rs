//! Who takes the layer and the store alone compiles no web framework, no mailer, no templates.

use std::process::Command;

#[test]
fn tower_and_sqlite_bring_no_web_mail_or_templates() {
    let tree = tree("tower,sqlite");
    assert!(tree.contains("errtrack-store") && tree.contains("tower-layer"), "{tree}");
    for unwanted in ["axum", "actix", "lettre", "askama", "hyper", "errtrack-web"] {
        let found = tree.lines().find(|line| line.split(' ').next().is_some_and(|name| name.starts_with(unwanted)));
        assert_eq!(found, None, "{tree}");
    }
}

#[test]
fn without_features_there_is_no_database_and_no_http() {
    let tree = tree("");
    for unwanted in ["sqlx", "http", "axum", "tracing-subscriber"] {
        assert!(!tree.lines().any(|line| line.split(' ').next() == Some(unwanted)), "{tree}");
    }
}

/// The crates that a user of the facade compiles, one per line.
fn tree(features: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", "errtrack", "--edges", "normal,build", "--prefix", "none", "--offline"])
        .args(["--no-default-features", "--features", features])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output();
    let output = output.map(|o| [o.stdout, o.stderr].concat()).unwrap_or_default();
    String::from_utf8_lossy(&output).into_owned()
}
