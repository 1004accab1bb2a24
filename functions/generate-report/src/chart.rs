//! The chart: a bar for each level, as SVG.

use std::fmt::{self, Display};

use crate::levels::Level;
use function_kit::html::Escaped;

// In units of the drawing.
const WIDTH: f64 = 640.0;
const LABELS: f64 = 120.0;
const VALUES: f64 = 120.0;
const ROW: f64 = 30.0;
const BAR: f64 = 18.0;
const AXIS: f64 = 24.0;
const PLOT: f64 = WIDTH - LABELS - VALUES;

/// A longer name is cut in the chart; pointing at its bar shows it whole.
const LABEL_CHARACTERS: usize = 14;

/// Horizontal bars, the oldest level on top: the share of the highest score, with the score beside it.
pub(crate) struct Chart<'a> {
    pub(crate) levels: &'a [Level],
    /// The name of the level whose bar stands out.
    pub(crate) completed: &'a str,
}

impl Display for Chart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.levels.iter().fold(0.0, |height, _| height + ROW);
        let height = rows + AXIS;
        writeln!(
            f,
            r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Share of the highest score in each level">"#
        )?;
        grid(f, rows)?;
        let mut top = 0.0;
        for level in self.levels {
            bar(f, level, top, level.name == self.completed)?;
            top += ROW;
        }
        writeln!(f, "</svg>")
    }
}

fn grid(f: &mut fmt::Formatter<'_>, rows: f64) -> fmt::Result {
    for percent in [0, 25, 50, 75, 100] {
        let x = LABELS + PLOT * f64::from(percent) / 100.0;
        let y = rows + AXIS - 8.0;
        writeln!(f, r#"<line class="grid" x1="{x}" y1="0" x2="{x}" y2="{rows}"/>"#)?;
        writeln!(f, r#"<text class="axis" x="{x}" y="{y}" text-anchor="middle">{percent} %</text>"#)?;
    }
    Ok(())
}

fn bar(f: &mut fmt::Formatter<'_>, level: &Level, top: f64, completed: bool) -> fmt::Result {
    let Level { name, score, max_score, .. } = level;
    let (bar_top, text_y) = (top + (ROW - BAR) / 2.0, top + ROW / 2.0 + 4.5);
    let label_x = LABELS - 10.0;
    let value_x = WIDTH - VALUES + 10.0;
    let length = PLOT * level.share();
    let class = if completed { "bar completed" } else { "bar" };
    let (name, label) = (Escaped(name), Escaped(cut(name)));
    writeln!(
        f,
        r#"<g><title>Level {name}: {score} of {max_score}</title>
<text class="label" x="{label_x}" y="{text_y}" text-anchor="end">{label}</text>
<rect class="{class}" x="{LABELS}" y="{bar_top}" width="{length:.1}" height="{BAR}" rx="3"/>
<text class="value" x="{value_x}" y="{text_y}">{score} / {max_score}</text></g>"#
    )
}

fn cut(name: &str) -> String {
    if name.chars().count() <= LABEL_CHARACTERS {
        return name.to_owned();
    }
    let beginning: String = name.chars().take(LABEL_CHARACTERS - 1).collect();
    format!("{beginning}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(name: &str, score: f64) -> Level {
        Level { name: name.to_owned(), score, max_score: 80.0, time_played: 1.0, completed_at: String::new() }
    }

    #[test]
    fn each_level_has_a_bar_of_its_share() {
        let levels = [level("1", 80.0), level("2", 20.0)];
        let svg = Chart { levels: &levels, completed: "2" }.to_string();
        assert!(svg.contains(r#"<rect class="bar" x="120" y="6" width="400.0" height="18" rx="3"/>"#));
        assert!(svg.contains(r#"<rect class="bar completed" x="120" y="36" width="100.0" height="18" rx="3"/>"#));
        assert!(svg.contains("20 / 80"));
        assert!(svg.contains(r#"viewBox="0 0 640 84""#));
    }

    #[test]
    fn names_are_cut_and_escaped() {
        let levels = [level("<script>alert(1)</script>", 1.0)];
        let svg = Chart { levels: &levels, completed: "" }.to_string();
        assert!(!svg.contains("<script"), "{svg}");
        assert!(svg.contains(">&lt;script&gt;alert…</text>"), "{svg}");
        assert!(svg.contains("Level &lt;script&gt;alert(1)&lt;/script&gt;: 1 of 80"), "{svg}");
    }
}
