//! Credentials that say what they are by how they begin.

/// Prefix, shortest length of the whole, name. The prefixes are those that the issuers document for secret scanning.
const PREFIXES: [(&str, usize, &str); 53] = [
    ("AKIA", 20, "AWS access key"),
    ("ASIA", 20, "AWS access key"),
    ("AIza", 39, "Google API key"),
    ("ya29.", 20, "Google OAuth token"),
    ("GOCSPX-", 20, "Google client secret"),
    ("ghp_", 20, "GitHub token"),
    ("gho_", 20, "GitHub token"),
    ("ghu_", 20, "GitHub token"),
    ("ghs_", 20, "GitHub token"),
    ("ghr_", 20, "GitHub token"),
    ("github_pat_", 30, "GitHub token"),
    ("glpat-", 20, "GitLab token"),
    ("gldt-", 20, "GitLab token"),
    ("glrt-", 20, "GitLab token"),
    ("xoxb-", 20, "Slack token"),
    ("xoxp-", 20, "Slack token"),
    ("xoxa-", 20, "Slack token"),
    ("xoxr-", 20, "Slack token"),
    ("xoxs-", 20, "Slack token"),
    ("xapp-", 20, "Slack token"),
    ("sk_live_", 16, "live key"),
    ("sk_test_", 16, "test key"),
    ("rk_live_", 16, "live key"),
    ("rk_test_", 16, "test key"),
    ("whsec_", 20, "webhook secret"),
    ("npm_", 36, "npm token"),
    ("pypi-", 40, "PyPI token"),
    ("SG.", 40, "SendGrid key"),
    ("sk-ant-", 20, "Anthropic key"),
    ("sk-proj-", 20, "OpenAI key"),
    ("sk-", 24, "API key"),
    ("hf_", 30, "Hugging Face token"),
    ("dop_v1_", 40, "DigitalOcean token"),
    ("shpat_", 30, "Shopify token"),
    ("shpss_", 30, "Shopify token"),
    ("lin_api_", 30, "Linear key"),
    ("key-", 36, "Mailgun key"),
    ("AGE-SECRET-KEY-", 40, "age key"),
    ("sntrys_", 30, "Sentry token"),
    ("sntryu_", 30, "Sentry token"),
    ("hvs.", 24, "Vault token"),
    ("dckr_pat_", 20, "Docker token"),
    ("ATATT3", 40, "Atlassian token"),
    ("gsk_", 30, "API key"),
    ("xai-", 40, "API key"),
    ("r8_", 36, "API key"),
    ("glsa_", 30, "Grafana token"),
    ("tskey-", 24, "Tailscale key"),
    ("PMAK-", 40, "Postman key"),
    ("sq0atp-", 20, "Square token"),
    ("sq0csp-", 20, "Square secret"),
    ("rubygems_", 40, "RubyGems key"),
    ("dapi", 36, "Databricks token"),
];

/// The longest credential that is no JWT.
const LONGEST: usize = 512;

/// The shortest of all; those with a dot in their prefix may begin with a shorter word.
pub(super) const SHORTEST: usize = 16;

/// The length and the name of the credential with which a text begins.
pub(super) fn at_start(text: &str) -> Option<(usize, &'static str)> {
    let is_jwt = text.starts_with("eyJ");
    let first = text.as_bytes().first()?;
    let begins = |prefix: &str| prefix.as_bytes().first() == Some(first) && text.starts_with(prefix);
    let found = PREFIXES.iter().find(|(prefix, ..)| begins(prefix));
    let is_twilio = text.starts_with("SK");
    if !is_jwt && found.is_none() && !is_twilio {
        return None;
    }
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if is_jwt && is_json_web_token(text) {
        return Some((text.bytes().take_while(|b| is_part(b)).count(), "JWT"));
    }
    let run = text.bytes().take(LONGEST).take_while(|b| is_part(b)).count();
    let run = text.get(..run)?.trim_end_matches(['.', '-']);
    if is_twilio && run.len() == 34 && run.bytes().skip(2).all(|b| b.is_ascii_hexdigit()) {
        return Some((run.len(), "Twilio key"));
    }
    let (prefix, shortest, name) = *found?;
    let rest = run.get(prefix.len()..)?;
    // A person writes no digit into `sk-learn-something-long`, and nothing that long in capitals.
    let is_made = rest.bytes().any(|b| b.is_ascii_digit()) || rest.bytes().all(|b| b.is_ascii_uppercase());
    (run.len() >= shortest && is_made).then_some((run.len(), name))
}

/// The length of the token of a Telegram bot with which a text begins: its number, a colon, 35 letters.
pub(super) fn telegram(text: &str) -> Option<usize> {
    let (number, rest) = text.split_once(':')?;
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let is_number = (8..=10).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    (is_number && rest.bytes().take(36).take_while(is_part).count() == 35).then_some(number.len() + 36)
}

/// Addresses behind which everything is a secret: whoever knows them may post.
const WEBHOOKS: [&str; 5] = [
    "hooks.slack.com/",
    "discord.com/api/webhooks/",
    "discordapp.com/api/webhooks/",
    "hooks.zapier.com/hooks/catch/",
    "api.telegram.org/bot",
];

/// Where in an address, its scheme left out, the secret of a webhook begins.
pub(super) fn webhook(address: &str) -> Option<usize> {
    WEBHOOKS.iter().find(|prefix| address.starts_with(*prefix)).map(|prefix| prefix.len())
}

/// RFC 7519: three parts, the first two of them JSON objects in base64url.
fn is_json_web_token(text: &str) -> bool {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let header = text.bytes().take_while(|b| is_part(b)).count();
    header >= 10 && text.get(header..).is_some_and(|rest| rest.starts_with(".eyJ"))
}

/// The length and the name of what follows `Bearer ` or `Basic `, as in RFC 6750 and RFC 7617.
pub(super) fn after_scheme(scheme: &str, rest: &str) -> Option<(usize, &'static str)> {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'~' | b'+' | b'/' | b'=');
    let length = rest.bytes().take_while(|b| is_part(b)).count();
    let token = rest.get(..length)?;
    let has_digit = token.bytes().any(|b| b.is_ascii_digit());
    if scheme.eq_ignore_ascii_case("bearer") {
        return (length >= 8 && has_digit || length >= 20).then_some((length, "bearer token"));
    }
    (scheme.eq_ignore_ascii_case("basic") && length >= 8 && length.is_multiple_of(4) && holds_colon(token))
        .then_some((length, "basic credentials"))
}

/// What a value holds that is known to be a secret and begins with a scheme (RFC 9110, section 11.1).
pub(super) fn scheme(value: &str) -> Option<&'static str> {
    match value.split_once(' ') {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("bearer") => Some("bearer token"),
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("basic") => Some("basic credentials"),
        _ => None,
    }
}

/// Whether base64 text decodes to ASCII with a colon in it: `user:password`.
fn holds_colon(token: &str) -> bool {
    let mut bits = 0u32;
    let mut count = 0;
    let mut found = false;
    for byte in token.trim_end_matches('=').bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return false,
        };
        bits = (bits << 6 | u32::from(six)) & 0x3fff;
        count += 6;
        if count >= 8 {
            count -= 8;
            let decoded = (bits >> count) & 0xff;
            if decoded < 0x20 {
                return false;
            }
            found |= decoded == u32::from(b':');
        }
    }
    found
}
