//! Pages of long answers.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

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

impl Page {
    /// This page of a list, and the token of the next one where there is more.
    pub(super) fn cut<T>(&self, items: impl IntoIterator<Item = T>) -> Result<(Vec<T>, Option<String>), ApiError> {
        self.read(|offset, limit| Ok(items.into_iter().skip(offset).take(limit).collect()))
    }

    /// This page of a list of which `read` gives a piece: as many elements as the second argument says, after those
    /// that the first one counts.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(usize, usize) -> Result<Vec<T>, ApiError>,
    ) -> Result<(Vec<T>, Option<String>), ApiError> {
        let start =
            self.next_token.as_deref().map_or(Ok(0), |token| start(token).ok_or_else(ApiError::invalid_token))?;
        let size = self.max_results.filter(|size| *size > 0).unwrap_or(DEFAULT_RESULTS);
        let mut page = read(start, size.saturating_add(1))?;
        let next = (page.len() > size).then(|| URL_SAFE_NO_PAD.encode(start.saturating_add(size).to_string()));
        page.truncate(size);
        Ok((page, next))
    }
}

fn start(token: &str) -> Option<usize> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(max_results: Option<usize>, next_token: Option<String>) -> (Vec<u32>, Option<String>) {
        Page { max_results, next_token }.cut(0..250).unwrap()
    }

    #[test]
    fn a_token_leads_on_from_the_page_before() {
        let (page, token) = cut(None, None);
        assert_eq!(page, (0..100).collect::<Vec<_>>());
        let (page, token) = cut(Some(149), token);
        assert_eq!(page, (100..249).collect::<Vec<_>>());
        let (page, token) = cut(Some(0), token);
        assert_eq!((page, token), (vec![249], None));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let page = Page { max_results: None, next_token: Some("no token".into()) };
        assert_eq!(page.cut([0]).unwrap_err(), ApiError::invalid_token());
    }
}
