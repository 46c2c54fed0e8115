//! Changes bytes at random: what libFuzzer does, without its knowledge of where they lead.

/// What readers look for, put in at random.
const SCRAPS: &[&[u8]] = &[
    b"\n",
    b"\t",
    b" ",
    b":",
    b"=",
    b"\"",
    b"'",
    b"\\",
    b"/",
    b"::",
    b"{",
    b"}",
    b"[",
    b"]",
    b"<",
    b">",
    b"(",
    b")",
    b",",
    b"@",
    b"#0 ",
    b"%",
    b"*",
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    "\u{e9}".as_bytes(),
    "\u{1f600}".as_bytes(),
    b"\\ud800",
    b"null",
    b"true",
    b"-1",
    b"0",
    b"1e999",
    b"NaN",
    b"18446744073709551616",
    b"password=",
    b"Bearer ",
    b"eyJ",
    b"-----BEGIN",
    b"://",
    b"sk_live_",
    b"4111 1111 1111 1111",
    b"in `",
    b"Caused by: ",
    b"    at ",
    b"  File \"",
    b"stack backtrace:",
    b"goroutine 1 [running]:",
    b"Traceback (most recent call last):",
    b"=> ",
    b"[Filtered: token]",
];

/// The longest input that is made.
const LONGEST: usize = 16 << 10;

/// A source of changed bytes; the same for the same seed.
#[derive(Debug)]
pub struct Mutator(u64);

impl Mutator {
    /// A source that gives the same each time.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// Changes one of the seeds, in a few places.
    pub fn change(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let seed = self.pick(seeds).map_or(&[][..], Vec::as_slice);
        let mut bytes = seed[..seed.len().min(LONGEST)].to_vec();
        for _ in 0..=self.below(6) {
            let at = self.below(bytes.len() + 1);
            let end = at + self.below((bytes.len() - at).min(64) + 1);
            match self.below(8) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => bytes[at] = u8::try_from(self.below(256)).unwrap_or_default(),
                2 => drop(bytes.drain(at..end)),
                3 => bytes.truncate(at),
                4 => {
                    let again = bytes[at..end].repeat(1 + self.below(8));
                    bytes.splice(at..at, again);
                }
                5 => {
                    let other = self.pick(seeds).map_or(&[][..], Vec::as_slice);
                    let from = self.below(other.len() + 1);
                    let to = from + self.below((other.len() - from).min(256) + 1);
                    bytes.splice(at..end, other[from..to].iter().copied());
                }
                _ => {
                    let scrap = self.pick(SCRAPS).copied().unwrap_or_default();
                    bytes.splice(at..at, scrap.iter().copied());
                }
            }
        }
        bytes
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len().max(1)))
    }

    /// Xorshift, and a number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or_default() % end
    }
}
