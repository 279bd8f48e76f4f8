//! Welch's t-test. Source: Welch, The generalization of "Student's" problem, Biometrika 34, 1947.

/// How far apart two samples are.
pub(crate) struct Verdict {
    /// |t| of all values.
    pub(crate) t: f64,
    /// The largest |t| of those below a percentile of both together.
    pub(crate) cropped: f64,
    /// The smallest difference of the means, in seconds, that would have reached the threshold in one of these.
    pub(crate) finest: f64,
}

/// Compares two samples, whole and without their slowest.
pub(crate) fn compare(one: &[f64], other: &[f64], threshold: f64) -> Verdict {
    let mut both = [one, other].concat();
    both.sort_by(f64::total_cmp);
    let crop = |percent: usize| {
        let limit = both[both.len() * percent / 100];
        let below =
            |sample: &[f64]| sample.iter().copied().filter(|value| *value < limit).collect::<Vec<_>>();
        t(&below(one), &below(other))
    };
    let ((t, spread), crops) = (t(one, other), [95, 90, 75].map(crop));
    Verdict {
        t,
        cropped: crops.iter().map(|(t, _)| *t).fold(0.0, f64::max),
        finest: threshold * crops.iter().map(|(_, spread)| *spread).fold(spread, f64::min),
    }
}

/// The middle value.
pub(crate) fn median(sample: &[f64]) -> f64 {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// |t|, and the spread of the difference.
fn t(one: &[f64], other: &[f64]) -> (f64, f64) {
    let ((mean_one, error_one), (mean_other, error_other)) = (moments(one), moments(other));
    let spread = (error_one + error_other).sqrt();
    if spread == 0.0 { (0.0, spread) } else { (((mean_one - mean_other) / spread).abs(), spread) }
}

/// The mean, and its variance.
fn moments(sample: &[f64]) -> (f64, f64) {
    let count = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / count;
    let variance = sample.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, variance / count)
}
