//! The player's levels so far.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use function_kit::{Name, ServiceError};

/// A completed level, as the report shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Level {
    pub(crate) name: String,
    pub(crate) score: f64,
    pub(crate) max_score: f64,
    /// In seconds.
    pub(crate) time_played: f64,
    /// At the fixed width of the table, so that the order of the texts is that of the times.
    pub(crate) completed_at: String,
}

impl Level {
    /// The score as a share of the highest one, from 0 to 1.
    pub(crate) fn share(&self) -> f64 {
        if self.max_score > 0.0 { (self.score / self.max_score).clamp(0.0, 1.0) } else { 0.0 }
    }

    fn from_item(item: &HashMap<String, AttributeValue>) -> Option<Self> {
        let text = |name: &str| item.get(name)?.as_s().ok().cloned();
        let number = |name: &str| -> Option<f64> { item.get(name)?.as_n().ok()?.parse().ok() };
        Some(Self {
            name: text("level")?,
            score: number("score")?,
            max_score: number("max_score")?,
            time_played: number("time_played")?,
            completed_at: text("completed_at")?,
        })
    }
}

/// Reads the levels of a player from the table. An item that is no level is left out, and the logs say so.
pub(crate) async fn query(dynamodb: &Client, table: &str, user_id: &Name) -> Result<Vec<Level>, ServiceError> {
    let mut items = dynamodb
        .query()
        .table_name(table)
        .consistent_read(true)
        // A level starts with a letter or a digit. What the table holds of the player besides levels starts with `#`, which
        // comes before.
        .key_condition_expression("user_id = :user_id AND #level >= :first")
        .expression_attribute_names("#level", "level")
        .expression_attribute_values(":user_id", AttributeValue::S(user_id.to_string()))
        .expression_attribute_values(":first", AttributeValue::S("0".to_owned()))
        .into_paginator()
        .items()
        .send();
    let mut levels = Vec::new();
    while let Some(item) = items.next().await {
        let item = item.map_err(|error| ServiceError::new("Query", &error))?;
        match Level::from_item(&item) {
            Some(level) => levels.push(level),
            None => tracing::warn!(level = ?item.get("level"), "the item of the table is no level"),
        }
    }
    Ok(levels)
}

/// All levels with the completed one among them, as it is now, in the order in which they were completed.
pub(crate) fn with_completed(mut levels: Vec<Level>, completed: Level) -> Vec<Level> {
    levels.retain(|level| level.name != completed.name);
    levels.push(completed);
    levels.sort_by(|a, b| a.completed_at.cmp(&b.completed_at));
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(name: &str, completed_at: &str) -> Level {
        let completed_at = completed_at.to_owned();
        Level { name: name.to_owned(), score: 1.0, max_score: 4.0, time_played: 1.0, completed_at }
    }

    #[test]
    fn levels_are_in_the_order_of_their_completion() {
        let before = vec![level("a", "2026-03"), level("b", "2026-01")];
        for (completed, order) in
            [(level("c", "2026-02"), "bca"), (level("c", "2026-04"), "bac"), (level("b", "2026-04"), "ab")]
        {
            let names: String = with_completed(before.clone(), completed).into_iter().map(|l| l.name).collect();
            assert_eq!(names, order);
        }
    }

    #[test]
    fn the_share_is_a_part_of_the_highest_score() {
        for (score, max_score, share) in
            [(1.0, 4.0, 0.25), (9.0, 4.0, 1.0), (-1.0, 4.0, 0.0), (1.0, 0.0, 0.0), (0.0, -1.0, 0.0)]
        {
            let level = Level { score, max_score, ..level("a", "2026-01") };
            assert!((level.share() - share).abs() < f64::EPSILON, "{score} of {max_score}");
        }
    }
}
