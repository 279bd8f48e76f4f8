//! Edges a second against edges, both logarithmic, as a picture that reads well on light and on dark pages.

use std::fmt::Write;

use super::bulk::{DUCKDB, OURS_IDS, OURS_RAW, POLARS, Size};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 560.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 370.0;

/// A grey and colours of middling lightness.
const GREY: &str = "#808890";
const CURVES: &[(&str, &str, &str)] = &[
    (OURS_IDS, "hutong, ids at rest", "#d9822b"),
    (OURS_RAW, "hutong, raw edges", "#d64545"),
    (DUCKDB, "DuckDB", "#3f8fd2"),
    (POLARS, "Polars", "#4a9e5c"),
];

/// From whole powers of ten to a length.
struct Axis {
    least: f64,
    most: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let logarithms: Vec<f64> =
            values.filter(|value| value.is_finite() && *value > 0.0).map(f64::log10).collect();
        let least = logarithms.iter().copied().fold(f64::INFINITY, f64::min).floor();
        let most = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max).ceil();
        let (least, most) = if least.is_finite() { (least, most.max(least + 1.0)) } else { (0.0, 1.0) };
        Self { least, most, from, to }
    }

    fn place(&self, value: f64) -> f64 {
        self.from + (value.log10() - self.least) / (self.most - self.least) * (self.to - self.from)
    }

    fn powers(&self) -> impl Iterator<Item = i32> {
        self.least as i32..=self.most as i32
    }
}

/// The picture, as SVG.
pub(super) fn svg(sizes: &[Size<'_>]) -> String {
    let speed = |size: &Size<'_>, who| size.edges() as f64 / size.seconds(who);
    let across = Axis::over(sizes.iter().map(|size| size.edges() as f64), LEFT, RIGHT);
    let speeds = sizes.iter().flat_map(|size| CURVES.iter().map(|(who, ..)| speed(size, who)));
    let speeds = speeds.filter(|speed| speed.is_finite());
    let up = Axis::over(speeds, BOTTOM, TOP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"13\" fill=\"{GREY}\">\n<title>Edges a second against edges</title>\n"
    );
    for power in across.powers() {
        let x = across.place(10f64.powi(power));
        line(&mut svg, (x, TOP), (x, BOTTOM));
        text(&mut svg, (x, BOTTOM + 18.0), "middle", &of_ten(power));
    }
    for power in up.powers() {
        let y = up.place(10f64.powi(power));
        line(&mut svg, (LEFT, y), (RIGHT, y));
        text(&mut svg, (LEFT - 8.0, y + 4.0), "end", &of_ten(power));
    }
    text(&mut svg, ((LEFT + RIGHT) / 2.0, BOTTOM + 40.0), "middle", "edges");
    text(&mut svg, (LEFT, TOP - 8.0), "start", "edges a second");
    for (who, name, colour) in CURVES {
        let place = |size: &Size<'_>| (across.place(size.edges() as f64), up.place(speed(size, who)));
        let points: Vec<(f64, f64)> = sizes.iter().map(place).filter(|(_, y)| y.is_finite()).collect();
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        );
        for (x, y) in &points {
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>");
        }
        if let Some((x, y)) = points.last() {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>",
                x + 10.0,
                y + 4.0
            );
        }
    }
    svg + "</svg>\n"
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{GREY}\" stroke-opacity=\"0.35\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, at: (f64, f64), anchor: &str, words: &str) {
    let _ =
        writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{words}</text>", at.0, at.1);
}

fn of_ten(power: i32) -> String {
    match power {
        3..6 => format!("{} thousand", 10i32.pow(power.unsigned_abs() - 3)),
        6..9 => format!("{} million", 10i32.pow(power.unsigned_abs() - 6)),
        9..12 => format!("{} billion", 10i32.pow(power.unsigned_abs() - 9)),
        _ => format!("1e{power}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, Value, json};

    #[test]
    fn every_size_is_a_point_of_every_curve_within_the_frame() {
        let size = |edges: u64, seconds: f64| {
            let run = |(who, ..): &(&str, &str, &str)| ((*who).to_owned(), json!({ "seconds": seconds }));
            let of: Map<String, Value> = CURVES.iter().map(run).collect();
            json!({ "edges": edges, "of": of })
        };
        let (small, great) = (size(18_000_000, 0.5), size(180_000_000, 9.0));
        let svg = svg(&[Size(&small), Size(&great)]);
        let circles: Vec<&str> = svg.lines().filter(|line| line.starts_with("<circle")).collect();
        assert_eq!(circles.len(), 2 * CURVES.len());
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        let axis = Axis::over([2e7, 3e8].into_iter(), LEFT, RIGHT);
        assert!((axis.place(1e7) - LEFT).abs() < 1e-6 && (axis.place(1e9) - RIGHT).abs() < 1e-6);
    }
}
