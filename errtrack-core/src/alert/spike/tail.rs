//! The tail of the negative binomial distribution, by the regularized incomplete beta function.

use super::as_float;

/// Terms of the continued fraction; it needs some ten where it is asked.
const TERMS: u32 = 500;
const TINY: f64 = 1e-300;

/// How likely a count is that large or larger, where `mean` is usual and the variance is `spread` times as large (more than 1).
pub(super) fn at_least(count: i64, mean: f64, spread: f64) -> f64 {
    if count <= 0 {
        return 1.0;
    }
    let success = (spread - 1.0) / spread;
    let size = mean / (spread - 1.0);
    beta(as_float(count), size, success)
}

/// `I_x(a, b)`
fn beta(a: f64, b: f64, x: f64) -> f64 {
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, 1.0 - x) / b
    }
}

/// The continued fraction of it, by Lentz's method.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut sum = d;
    for term in 1..=TERMS {
        let m = f64::from(term);
        for factor in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / away(1.0 + factor * d);
            c = away(1.0 + factor / c);
            sum *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-12 {
            break;
        }
    }
    sum
}

/// The logarithm of the gamma function of a positive number, after Lanczos.
fn ln_gamma(x: f64) -> f64 {
    const FACTORS: [f64; 6] = [
        76.180_091_729_471_46,
        -86.505_320_329_416_77,
        24.014_098_240_830_91,
        -1.231_739_572_450_155,
        0.120_865_097_386_617_9e-2,
        -0.539_523_938_495_3e-5,
    ];
    let base = x + 5.5;
    let (sum, _) =
        FACTORS.iter().fold((1.000_000_000_190_015, x), |(sum, y), factor| (sum + factor / (y + 1.0), y + 1.0));
    (x + 0.5).mul_add(base.ln(), -base) + (2.506_628_274_631_000_5 * sum / x).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, term by term.
    fn summed(count: i64, mean: f64, spread: f64) -> f64 {
        let (p, r) = ((spread - 1.0) / spread, mean / (spread - 1.0));
        let mut term = (1.0 - p).powf(r);
        let mut below = 0.0;
        for k in 0..count {
            below += term;
            term *= p * (as_float(k) + r) / (as_float(k) + 1.0);
        }
        1.0 - below
    }

    #[test]
    fn the_tail_is_the_sum_of_its_terms() {
        for (count, mean, spread) in [
            (1, 0.3, 1.5),
            (5, 2.0, 1.5),
            (12, 5.0, 3.0),
            (40, 20.0, 2.0),
            (3, 0.05, 12.0),
            (300, 250.0, 4.0),
            (20, 20.0, 1.01),
        ] {
            let (fast, slow) = (at_least(count, mean, spread), summed(count, mean, spread));
            assert!((fast - slow).abs() < 1e-8 + slow * 1e-5, "{count} {mean} {spread}: {fast} {slow}");
        }
        assert!(at_least(1_000_000, 900_000.0, 2.0) < 1e-12);
        assert!(at_least(900_000, 1_000_000.0, 2.0) > 0.999);
        assert!((at_least(0, 1.0, 2.0) - 1.0).abs() < f64::EPSILON);
    }
}
