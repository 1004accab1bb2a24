//! Pages of long answers.
//!
//! A token holds the place of the last element that was told, not how many were told: what comes and goes between two pages
//! neither hides an element nor shows one twice.

use std::{cmp::Ordering, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use time::OffsetDateTime;

use super::ApiError;

/// How many elements a page has when the client does not say.
const DEFAULT_RESULTS: usize = 100;

/// Which part of a list a client wants. How large a page can be is the model's matter.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// Which elements of a list come first, by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Rising,
    Falling,
}

impl Order {
    fn compare<P: Ord>(self, one: &P, other: &P) -> Ordering {
        match self {
            Self::Rising => one.cmp(other),
            Self::Falling => other.cmp(one),
        }
    }
}

impl Page {
    /// This page of a list, ordered by the place of each element, and the token of the next page where there is more.
    pub(super) fn cut<T, P: Ord + ToString + FromStr>(
        &self,
        items: impl IntoIterator<Item = T>,
        order: Order,
        place: impl Fn(&T) -> P,
    ) -> Result<(Vec<T>, Option<String>), ApiError> {
        self.read(
            |item| place(item).to_string(),
            |after, limit| {
                let after = after.map(|text| text.parse::<P>().map_err(|_| ApiError::invalid_token())).transpose()?;
                let mut placed: Vec<(P, T)> = items.into_iter().map(|item| (place(&item), item)).collect();
                placed.retain(|(place, _)| after.as_ref().is_none_or(|after| order.compare(after, place).is_lt()));
                placed.sort_by(|(one, _), (other, _)| order.compare(one, other));
                Ok(placed.into_iter().take(limit).map(|(_, item)| item).collect())
            },
        )
    }

    /// This page of a list of which `read` gives a piece: as many elements as the second argument says, after the place
    /// that the first one says.
    pub(super) fn read<T>(
        &self,
        place: impl Fn(&T) -> String,
        read: impl FnOnce(Option<&str>, usize) -> Result<Vec<T>, ApiError>,
    ) -> Result<(Vec<T>, Option<String>), ApiError> {
        let after = self.next_token.as_deref().map(decoded).transpose()?;
        let size = self.max_results.filter(|size| *size > 0).unwrap_or(DEFAULT_RESULTS);
        let mut page = read(after.as_deref(), size.saturating_add(1))?;
        let is_more = page.len() > size;
        page.truncate(size);
        let last = page.last().filter(|_| is_more);
        let next = last.map(|last| URL_SAFE_NO_PAD.encode(place(last)));
        Ok((page, next))
    }
}

/// The place of something in a list by its age, and among those of one moment by its name.
pub(super) fn place(created_at: OffsetDateTime, name: &str) -> String {
    // As wide as the largest one, so that texts compare as the numbers do.
    format!("{:020} {name}", created_at.unix_timestamp_nanos())
}

fn decoded(token: &str) -> Result<String, ApiError> {
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(ApiError::invalid_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(
        items: &[u32],
        order: Order,
        max_results: Option<usize>,
        token: Option<String>,
    ) -> (Vec<u32>, Option<String>) {
        let page = Page { max_results, next_token: token };
        page.cut(items.iter().copied(), order, |item| *item).unwrap()
    }

    #[test]
    fn a_token_leads_on_from_the_page_before() {
        let items: Vec<u32> = (0..250).collect();
        let (page, token) = cut(&items, Order::Rising, None, None);
        assert_eq!(page, items[..100]);
        let (page, token) = cut(&items, Order::Rising, Some(149), token);
        assert_eq!(page, items[100..249]);
        let (page, token) = cut(&items, Order::Rising, Some(0), token);
        assert_eq!((page, token), (vec![249], None));
    }

    #[test]
    fn what_comes_and_goes_between_two_pages_moves_nothing() {
        let (page, token) = cut(&[1, 2, 3, 4], Order::Falling, Some(2), None);
        assert_eq!(page, [4, 3]);
        // The last one that was told is gone, and a new one is in front.
        assert_eq!(cut(&[1, 2, 5], Order::Falling, Some(2), token), (vec![2, 1], None));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for token in ["no token", &URL_SAFE_NO_PAD.encode("no number")] {
            let page = Page { max_results: None, next_token: Some(token.into()) };
            assert_eq!(page.cut([0], Order::Rising, |item| *item).unwrap_err(), ApiError::invalid_token());
        }
    }
}
