//! The page of a report.

use std::fmt::{self, Display};

use function_kit::game::CompletedLevel;

use crate::chart::Chart;
use crate::levels::Level;
use function_kit::html::Escaped;

/// A chart of more bars can't be read.
const MOST_LEVELS: usize = 30;

/// A page on its own: its style is inside, and it loads nothing.
pub(crate) struct Page<'a> {
    pub(crate) completed: &'a CompletedLevel,
    /// All levels so far, the oldest first, with the completed one among them.
    pub(crate) levels: &'a [Level],
}

impl Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CompletedLevel { user_id, level, score, max_score, time_played, total_score, completed_at: time, .. } =
            self.completed;
        let (user_id, level) = (Escaped(user_id), Escaped(level));
        write!(
            f,
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Level {level} completed</title>
<style>
{style}</style>
</head>
<body>
<main>
<h1>Level {level} completed</h1>
<p>Player {user_id} · <time datetime="{time}">{minute}</time></p>
<section>
<dl>
<div><dt>Score</dt><dd>{} / {}</dd></div>
<div><dt>Time played</dt><dd>{}</dd></div>
<div><dt>Total score</dt><dd>{}</dd></div>
<div><dt>Levels completed</dt><dd>{}</dd></div>
</dl>
</section>
"#,
            Escaped(score),
            Escaped(max_score),
            Duration(time_played.as_f64()),
            Escaped(total_score),
            self.levels.len(),
            minute = time.to_minute(),
            style = include_str!("page.css"),
        )?;
        self.write_levels(f)?;
        writeln!(f, "</main>\n</body>\n</html>")
    }
}

impl Page<'_> {
    fn write_levels(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = self.levels.len().saturating_sub(MOST_LEVELS);
        let (_, shown) = self.levels.split_at(hidden);
        write!(f, "<section>\n<h2>Levels so far</h2>\n")?;
        write!(f, "{}", Chart { levels: shown, completed: self.completed.level.as_str() })?;
        if hidden > 0 {
            writeln!(f, "<p>The newest {MOST_LEVELS} of {} levels.</p>", self.levels.len())?;
        }
        write!(
            f,
            r#"</section>
<section class="scroll">
<table>
<thead><tr><th scope="col">Level</th><th scope="col">Score</th><th scope="col">Of</th><th scope="col">Time played</th></tr></thead>
<tbody>
"#
        )?;
        for level in shown {
            let current = if level.name == self.completed.level.as_str() { r#" aria-current="true""# } else { "" };
            writeln!(
                f,
                "<tr{current}><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                Escaped(&level.name),
                level.score,
                level.max_score,
                Duration(level.time_played),
            )?;
        }
        writeln!(f, "</tbody>\n</table>\n</section>")
    }
}

/// Seconds, in the two largest units that they fill.
struct Duration(f64);

impl Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(f64, &str); 4] = [(86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s")];
        let mut rest = self.0.round();
        let mut written = 0;
        for (seconds, unit) in UNITS {
            let count = (rest / seconds).floor();
            if count < 1.0 && written == 0 {
                continue;
            }
            if written > 0 {
                write!(f, " ")?;
            }
            write!(f, "{count} {unit}")?;
            rest -= count * seconds;
            written += 1;
            if written == 2 {
                return Ok(());
            }
        }
        if written == 0 { write!(f, "0 s") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_readable() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (0.4, "0 s"),
            (59.0, "59 s"),
            (60.0, "1 min 0 s"),
            (3725.0, "1 h 2 min"),
            (9_885_983_982.0, "114421 d 2 h"),
        ] {
            assert_eq!(Duration(seconds).to_string(), text);
        }
    }

    #[test]
    fn a_long_history_shows_its_newest_levels() {
        let level = |number: usize| Level {
            name: format!("L{number}"),
            score: 1.0,
            max_score: 2.0,
            time_played: 1.0,
            completed_at: String::new(),
        };
        let levels: Vec<Level> = (1..=31).map(level).collect();
        let completed = json!({
            "user_id": "1", "level": "L31", "score": 1, "max_score": 2, "time_played": 1, "total_score": 31,
            "completedAt": "2026-11-21T12:00:00Z",
        });
        let completed = serde_json::from_value(completed).unwrap();
        let html = Page { completed: &completed, levels: &levels }.to_string();
        assert!(html.contains("The newest 30 of 31 levels."));
        assert!(!html.contains("<td>L1</td>"));
        assert!(html.contains("<td>L2</td>"));
        assert!(html.contains("<tr aria-current=\"true\"><td>L31</td>"));
    }
}
