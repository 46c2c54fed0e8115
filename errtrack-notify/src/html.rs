//! The HTML of a mail: one column, styles inline, no images, nothing fetched.

use crate::words::Words;
use std::fmt::{self, Write};

/// Text in HTML, or in the value of an attribute in double quotes.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Text as HTML.
#[cfg(feature = "webhook")]
pub(crate) fn escape(text: &str) -> String {
    Escaped(text).to_string()
}

/// A mail.
#[must_use]
pub fn mail(words: &Words) -> String {
    let mut html = String::with_capacity(4096);
    // Writing to a string does not fail.
    let _ = write(&mut html, words);
    html
}

fn write(html: &mut String, words: &Words) -> fmt::Result {
    let colour = words.tone.colour();
    write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{}</title></head>\n\
         <body style=\"margin:0;padding:12px;background:#f4f5f7;color:#1a202c;\
         font:16px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif\">\n\
         <div style=\"max-width:600px;margin:0 auto;background:#ffffff;border:1px solid #d9dee5;\
         border-top:4px solid {colour};border-radius:6px;padding:20px\">\n\
         <p style=\"margin:0 0 4px;font-size:14px;font-weight:600;color:{colour}\">{}</p>\n",
        Escaped(&words.subject),
        Escaped(&words.headline),
    )?;
    if !words.title.is_empty() {
        let title = Escaped(&words.title);
        writeln!(
            html,
            "<h1 style=\"margin:0 0 8px;font-size:20px;line-height:1.3;overflow-wrap:anywhere\">{title}</h1>"
        )?;
    }
    if let Some(culprit) = &words.culprit {
        let culprit = Escaped(culprit);
        writeln!(
            html,
            "<p style=\"margin:0 0 8px;font:14px/1.4 Consolas,Menlo,monospace;color:#4a5568;\
             overflow-wrap:anywhere\">{culprit}</p>"
        )?;
    }
    writeln!(html, "<p style=\"margin:0 0 16px\">{}</p>", Escaped(&words.why))?;
    for (name, value) in &words.facts {
        let (name, value) = (Escaped(name), Escaped(value));
        writeln!(
            html,
            "<p style=\"margin:0 0 4px;overflow-wrap:anywhere\"><span style=\"color:#4a5568\">{name}:</span> {value}</p>"
        )?;
    }
    if !words.frames.is_empty() {
        html.push_str(
            "<pre style=\"margin:16px 0 0;padding:12px;background:#f4f5f7;color:#1a202c;border-radius:4px;\
             font:13px/1.5 Consolas,Menlo,monospace;white-space:pre-wrap;overflow-wrap:anywhere\">",
        );
        for (place, frame) in words.frames.iter().enumerate() {
            write!(html, "{}{}", if place > 0 { "\n" } else { "" }, Escaped(frame))?;
        }
        html.push_str("</pre>\n");
    }
    if !words.list.is_empty() {
        html.push_str("<ul style=\"margin:16px 0 0;padding-left:20px\">\n");
        for (text, url) in &words.list {
            html.push_str("<li style=\"margin:0 0 6px;overflow-wrap:anywhere\">");
            let text = Escaped(text);
            match url {
                Some(url) => write!(html, "<a href=\"{}\" style=\"color:#1a56db\">{text}</a>", Escaped(url)),
                None => write!(html, "{text}"),
            }?;
            html.push_str("</li>\n");
        }
        if let Some(more) = &words.more {
            writeln!(html, "<li>{}</li>", Escaped(more))?;
        }
        html.push_str("</ul>\n");
    }
    if let Some(link) = &words.link {
        writeln!(
            html,
            "<p style=\"margin:20px 0 0\"><a href=\"{}\" style=\"display:inline-block;padding:10px 16px;background:#1a56db;\
             color:#ffffff;border-radius:4px;text-decoration:none;font-weight:600\">{}</a></p>",
            Escaped(&link.url),
            Escaped(link.text),
        )?;
    }
    html.push_str("</div>\n</body></html>\n");
    Ok(())
}
