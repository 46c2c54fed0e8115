//! Projects: the programs that report.

use crate::ProjectId;

/// A program that reports its errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its number; it stands in DSNs.
    pub id: ProjectId,
    /// Its name in URLs and in short ids: lower-case letters, digits, dashes.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Its main platform.
    pub platform: Option<String>,
    /// The public keys that let clients report to it, the oldest first.
    pub public_keys: Vec<String>,
}

impl Project {
    /// The first public key, which DSNs are made with.
    #[must_use]
    pub fn public_key(&self) -> &str {
        self.public_keys.first().map_or("", String::as_str)
    }
}

/// Makes a slug of a name: lower case, everything that is no ASCII letter or digit becomes one dash, 50 characters at most.
///
/// Empty if nothing is left.
#[must_use]
pub fn slugify(name: &str) -> String {
    let mut slug = String::with_capacity(name.len().min(50));
    for c in name.chars() {
        if slug.len() == 50 {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

#[cfg(test)]
mod tests {
    use super::slugify;

    #[test]
    fn slugs_hold_letters_digits_and_single_dashes() {
        assert_eq!(slugify("My App / Backend"), "my-app-backend");
        assert_eq!(slugify("--x__y--"), "x-y");
        assert_eq!(slugify("日本"), "");
        assert_eq!(slugify(&"a".repeat(99)).len(), 50);
    }
}
