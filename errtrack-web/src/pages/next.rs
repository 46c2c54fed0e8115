//! Where to go after a form: a path within the mount point, and nowhere else.

/// The path, if it is safe to be redirected to; it is relative to the mount point: `/issues?q=…`.
pub(super) fn safe(next: Option<&str>) -> Option<&str> {
    let next = next?;
    let path = next.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let leaves = path.starts_with("//") || path.contains("/..") || path.contains("%2e") || path.contains("%2f");
    let odd = next.len() > 4096 || next.contains('\\') || next.chars().any(|c| c.is_control() || c == ' ');
    (path.starts_with('/') && !leaves && !odd).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn only_paths_within_the_mount_point() {
        for right in ["/", "/issues", "/issues?q=is%3Aresolved&next=//x", "/issues/SHOP-1?event=2#stack"] {
            assert_eq!(safe(Some(right)), Some(right));
        }
        let wrong = ["", "issues", "//evil.example", "/\\evil.example", "https://evil.example", "/a/../b", "/%2e%2e/b"];
        for wrong in wrong.into_iter().chain(["/%2Fevil.example", "/a\r\nSet-Cookie: x=1", "javascript:alert(1)"]) {
            assert_eq!(safe(Some(wrong)), None, "{wrong}");
        }
    }
}
