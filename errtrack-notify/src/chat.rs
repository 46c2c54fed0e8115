//! Chats: Slack, Discord, Mattermost and Telegram, by the webhook of each.

use crate::{
    html::escape,
    http::ask,
    words::{Words, one_line},
};
use async_trait::async_trait;
use errtrack_core::notify::{Delivery, Notifier, NotifyError};
use errtrack_outgoing::{Outgoing, Question};
use serde_json::{Value, json};
use std::time::Duration;

/// Which chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chat {
    Slack,
    Discord,
    Mattermost,
    Telegram,
}

/// A channel that posts to a chat.
#[derive(Debug)]
pub(crate) struct ChatChannel {
    pub(crate) name: String,
    pub(crate) chat: Chat,
    pub(crate) url: String,
    /// The channel of Slack or Mattermost, the chat of Telegram.
    pub(crate) room: Option<String>,
    pub(crate) dashboard: Option<String>,
    pub(crate) outgoing: Outgoing,
}

#[async_trait]
impl Notifier for ChatChannel {
    fn name(&self) -> &str {
        &self.name
    }

    async fn notify(&self, delivery: &Delivery<'_>) -> Result<(), NotifyError> {
        let words = Words::of(&delivery.entry.notification, self.dashboard.as_deref());
        let body = match self.chat {
            Chat::Slack => slack(&words, self.room.as_deref()),
            Chat::Discord => discord(&words),
            Chat::Mattermost => mattermost(&words, self.room.as_deref()),
            Chat::Telegram => telegram(&words, self.room.as_deref().unwrap_or_default()),
        };
        let question = Question::post(&self.url, body.to_string().into()).json();
        let question = crate::keyed(question, delivery);
        let asked = ask(&self.outgoing, question).await;
        asked.map(drop).map_err(|error| self.understood(error))
    }
}

impl ChatChannel {
    /// Telegram and Discord say in their answer how long they want to be left alone.
    fn understood(&self, error: NotifyError) -> NotifyError {
        let is_silent = error.retry_after.is_none() && !error.permanent;
        if !is_silent || !matches!(self.chat, Chat::Telegram | Chat::Discord) {
            return error;
        }
        let seconds = error.message.split_once("\"retry_after\":").map(|(_, rest)| rest.trim_start());
        let seconds = seconds.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
        error.retry_after(seconds.map(|seconds: u64| Duration::from_secs(seconds.saturating_add(1))))
    }
}

/// Blocks of an incoming webhook: a title of 150 characters at most, texts of 3,000, ten fields of 2,000.
pub(crate) fn slack(words: &Words, room: Option<&str>) -> Value {
    let mrkdwn = |text: String| json!({"type": "mrkdwn", "text": one_text(text, 2_900)});
    let headline = json!({"type": "plain_text", "text": one_line(&words.headline, 150)});
    let mut blocks = vec![json!({"type": "header", "text": headline})];
    let mut text = String::new();
    if !words.title.is_empty() {
        let title = slack_escaped(&words.title);
        text += &match &words.link {
            Some(link) => format!("*<{}|{}>*\n", link.url, title.replace('|', "¦")),
            None => format!("*{title}*\n"),
        };
    }
    if let Some(culprit) = &words.culprit {
        text += &format!("`{}`\n", slack_escaped(culprit).replace('`', "'"));
    }
    text += &slack_escaped(&words.why);
    blocks.push(json!({"type": "section", "text": mrkdwn(text)}));
    let facts: Vec<Value> = words
        .facts
        .iter()
        .take(10)
        .map(|(name, value)| mrkdwn(format!("*{name}*\n{}", slack_escaped(value))))
        .collect();
    if !facts.is_empty() {
        blocks.push(json!({"type": "section", "fields": facts}));
    }
    if !words.frames.is_empty() {
        let frames = slack_escaped(&words.frames.join("\n")).replace("```", "'''");
        blocks.push(json!({"type": "section", "text": mrkdwn(format!("```{}```", one_text(frames, 2_800)))}));
    }
    if !words.list.is_empty() {
        let line = |(text, url): &(String, Option<String>)| match url {
            Some(url) => format!("• <{url}|{}>", slack_escaped(text).replace('|', "¦")),
            None => format!("• {}", slack_escaped(text)),
        };
        blocks.push(json!({"type": "section", "text": mrkdwn(lines(words, line, 2_900))}));
    }
    if let Some(link) = &words.link {
        let text = json!({"type": "plain_text", "text": link.text});
        let button = json!({"type": "button", "text": text, "url": link.url});
        blocks.push(json!({"type": "actions", "elements": [button]}));
    }
    // What is shown where blocks are not: in the notification of a phone.
    let mut message = json!({"text": slack_escaped(&words.subject), "blocks": blocks});
    if let (Some(room), Some(message)) = (room, message.as_object_mut()) {
        message.insert("channel".into(), room.into());
    }
    message
}

/// An embed of a webhook: title 256, description 4,096, 25 fields of 256 and 1,024 characters. It mentions nobody.
pub(crate) fn discord(words: &Words) -> Value {
    let mut text = String::new();
    if let Some(culprit) = &words.culprit {
        text += &format!("`{}`\n", culprit.replace('`', "'"));
    }
    text += &markdown_escaped(&words.why);
    if !words.frames.is_empty() {
        text += &format!("\n```\n{}\n```", one_text(words.frames.join("\n").replace("```", "'''"), 1_800));
    }
    if !words.list.is_empty() {
        text = format!("{text}\n{}", lines(words, markdown_line, 2_000));
    }
    let fact = |(name, value): &(&str, String)| json!({"name": name, "value": markdown_escaped(value), "inline": true});
    let mut embed = json!({
        "title": one_line(&markdown_escaped(if words.title.is_empty() { &words.headline } else { &words.title }), 256),
        "description": one_text(text, 4_000),
        "color": words.tone.rgb(),
        "fields": words.facts.iter().take(25).map(fact).collect::<Vec<_>>(),
    });
    if let (Some(link), Some(embed)) = (&words.link, embed.as_object_mut()) {
        embed.insert("url".into(), link.url.clone().into());
    }
    let headline = markdown_escaped(&words.headline);
    json!({"content": one_line(&headline, 2_000), "embeds": [embed], "allowed_mentions": {"parse": []}})
}

/// An attachment of an incoming webhook, in Markdown.
pub(crate) fn mattermost(words: &Words, room: Option<&str>) -> Value {
    let mut text = String::new();
    if let Some(culprit) = &words.culprit {
        text += &format!("`{}`\n", culprit.replace('`', "'"));
    }
    text += &markdown_escaped(&words.why);
    if !words.frames.is_empty() {
        text += &format!("\n```\n{}\n```", words.frames.join("\n").replace("```", "'''"));
    }
    if !words.list.is_empty() {
        text = format!("{text}\n{}", lines(words, markdown_line, 4_000));
    }
    // An attachment can call everybody.
    let text =
        ["all", "channel", "here"].iter().fold(text, |text, who| text.replace(&format!("@{who}"), &format!("@ {who}")));
    let short = |value: &str| value.chars().count() < 40;
    let fact = |(name, value): &(&str, String)| json!({"short": short(value), "title": name, "value": markdown_escaped(value)});
    let mut attachment = json!({
        "fallback": words.subject,
        "color": words.tone.colour(),
        "pretext": markdown_escaped(&words.headline),
        "title": words.title,
        "text": text,
        "fields": words.facts.iter().map(fact).collect::<Vec<_>>(),
    });
    if let (Some(link), Some(attachment)) = (&words.link, attachment.as_object_mut()) {
        attachment.insert("title_link".into(), link.url.clone().into());
    }
    let mut message = json!({"username": "errtrack", "attachments": [attachment]});
    if let (Some(room), Some(message)) = (room, message.as_object_mut()) {
        message.insert("channel".into(), room.trim_start_matches('#').into());
    }
    message
}

/// A message of a bot, in its HTML: 4,096 characters at most.
pub(crate) fn telegram(words: &Words, chat: &str) -> Value {
    let mut text = format!("<b>{}</b>\n", escape(&words.headline));
    // Tags are never cut in two: what is long is cut before it is put in.
    let cut = |text: &str, most| escape(&one_line(text, most));
    if !words.title.is_empty() {
        text += &format!("{}\n", cut(&words.title, 300));
    }
    if let Some(culprit) = &words.culprit {
        text += &format!("<code>{}</code>\n", cut(culprit, 200));
    }
    text += &format!("{}\n", cut(&words.why, 300));
    for (name, value) in &words.facts {
        text += &format!("\n<b>{name}</b>: {}", cut(value, 120));
    }
    if !words.frames.is_empty() {
        let frames: Vec<String> = words.frames.iter().map(|frame| cut(frame, 100)).collect();
        text += &format!("\n<pre>{}</pre>", frames.join("\n"));
    }
    for (line, url) in words.list.iter().take(8) {
        let line = cut(line, 80);
        text += &match url {
            Some(url) => format!("\n• <a href=\"{}\">{line}</a>", escape(url)),
            None => format!("\n• {line}"),
        };
    }
    if let Some(more) = &words.more {
        text += &format!("\n{}", escape(more));
    }
    if let Some(link) = &words.link {
        text += &format!("\n\n<a href=\"{}\">{}</a>", escape(&link.url), link.text);
    }
    json!({
        "chat_id": chat,
        "text": text,
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": true},
    })
}

/// The lines of a digest, as many as there is room for.
fn lines(words: &Words, line: impl Fn(&(String, Option<String>)) -> String, most: usize) -> String {
    let mut text = String::new();
    for line in words.list.iter().map(line).chain(words.more.clone()) {
        if text.chars().count() + line.chars().count() + 1 > most {
            text += "…";
            break;
        }
        text += &line;
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text
}

fn markdown_line((text, url): &(String, Option<String>)) -> String {
    match url {
        Some(url) => format!("- [{}]({url})", markdown_escaped(text)),
        None => format!("- {}", markdown_escaped(text)),
    }
}

/// What Slack asks to be escaped.
fn slack_escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What is markup in Markdown, as text.
fn markdown_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '~' | '|' | '[' | ']' | '<' | '>' | '#') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A text of so many characters.
fn one_text(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + "…",
        None => text,
    }
}
